/* SPDX-License-Identifier: Apache-2.0 */
/* phase.c -- runs one phase of all plugins that take part in a request. */
#include "proxy/phase.h"

#include "proxy/local.h"
#include "proxy/request.h"

static const unsigned pdk_bits[PLUGIN_PHASES] = {
    [PLUGIN_REWRITE] = PDK_PHASE_REWRITE,   [PLUGIN_ACCESS] = PDK_PHASE_ACCESS,
    [PLUGIN_RESPONSE] = PDK_PHASE_RESPONSE, [PLUGIN_HEADER] = PDK_PHASE_HEADER,
    [PLUGIN_BODY] = PDK_PHASE_BODY,         [PLUGIN_LOG] = PDK_PHASE_LOG,
};

bool phase_use_chain(struct request *request, const struct chain *chain)
{
    request->phase.chain = chain;
    request->phase.index = 0;
    request->phase.selected = NULL;
    if (chain->count == 0)
        return true;
    request->phase.selected =
        arena_calloc(request->arena, chain->count * sizeof(*request->phase.selected));
    return request->phase.selected != NULL;
}

bool phase_has(const struct request *request, enum plugin_phase phase)
{
    const struct chain *chain = request->phase.chain;
    return chain != NULL && (chain->phases >> phase & 1) != 0;
}

static struct slice consumer_id(const struct request *request)
{
    const struct pdk_consumer *consumer = request->identity.consumer;
    return consumer == NULL ? (struct slice){NULL, 0}
                            : slice_make(consumer->entity.id.ptr, consumer->entity.id.len);
}

void phase_select(struct request *request)
{
    const struct chain *chain = request->phase.chain;
    for (size_t i = 0; chain != NULL && i < chain->count; i++)
        request->phase.selected[i] = chain_select(&chain->steps[i], consumer_id(request));
}

/* Handlers of rewrite and access may suspend; those of the other phases may not. */
static bool may_suspend(enum plugin_phase phase)
{
    return phase == PLUGIN_REWRITE || phase == PLUGIN_ACCESS;
}

static enum pdk_result run_one(struct request *request, enum plugin_phase phase,
                               const struct chain_step *step, const struct plugin_config *config)
{
    struct plugin_worker *plugin = &request->worker->plugins[step->type->index];
    request->phase.config = config;
    request->phase.running = pdk_bits[phase];
    enum pdk_result result = step->type->vtable->run(plugin, phase, request_pdk(request), config);
    request->phase.running = 0;
    request->phase.config = NULL;
    if (result == PDK_SUSPEND && !may_suspend(phase)) {
        request_log(request, LOG_LEVEL_ERROR, "[%s] a handler may not suspend in this phase",
                    step->type->name);
        result = PDK_ERROR;
    }
    return result;
}

/* What a failed handler means: before the response 500, afterwards only the line in the log. */
static enum phase_result on_failure(struct request *request, enum plugin_phase phase)
{
    if (phase != PLUGIN_REWRITE && phase != PLUGIN_ACCESS && phase != PLUGIN_RESPONSE)
        return PHASE_DONE;
    local_error(request, 500, (struct slice){NULL, 0});
    return PHASE_EXITED;
}

enum phase_result phase_run(struct request *request, enum plugin_phase phase)
{
    const struct chain *chain = request->phase.chain;
    struct request_phase *at = &request->phase;
    bool is_selecting = phase == PLUGIN_REWRITE || phase == PLUGIN_ACCESS;
    if (chain == NULL || chain->count == 0)
        return PHASE_DONE;
    if (!at->is_suspended) {
        at->index = 0;
        at->has_exited = false;
    }
    for (; at->index < chain->count; at->index++) {
        const struct chain_step *step = &chain->steps[at->index];
        if (is_selecting && !at->is_suspended)
            at->selected[at->index] = chain_select(step, consumer_id(request));
        const struct plugin_config *config = at->selected[at->index];
        if (config == NULL || (step->type->phases >> phase & 1) == 0 || at->has_exited)
            continue;
        at->is_suspended = false;
        switch (run_one(request, phase, step, config)) {
        case PDK_OK: break;
        case PDK_EXIT:
            if (!is_selecting)
                return PHASE_EXITED;
            at->has_exited = true;
            break;
        case PDK_SUSPEND: at->is_suspended = true; return PHASE_SUSPENDED;
        case PDK_ERROR:
            if (on_failure(request, phase) == PHASE_EXITED) {
                if (!is_selecting)
                    return PHASE_EXITED;
                at->has_exited = true;
            }
            break;
        }
    }
    return at->has_exited && is_selecting ? PHASE_EXITED : PHASE_DONE;
}
