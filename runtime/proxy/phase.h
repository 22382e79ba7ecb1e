/* SPDX-License-Identifier: Apache-2.0 */
/* phase.h -- the only loop over plugin handlers. Phases differ by data, not by code. */
#ifndef SLUICE_PROXY_PHASE_H
#define SLUICE_PROXY_PHASE_H

#include "plugin/plugin.h"

struct chain;
struct request;

enum phase_result {
    PHASE_DONE,      /* all handlers ran */
    PHASE_EXITED,    /* a response was set by one of them */
    PHASE_SUSPENDED, /* call again when the request is resumed */
};

/* Sets the chain whose configurations run from here on (after routing, or the global one). False:
 * out of memory. */
bool phase_use_chain(struct request *request, const struct chain *chain)
    __attribute__((warn_unused_result));
/* Runs the handlers of `phase`, highest priority first. In access, configurations are chosen on the
 * way (a consumer found by one plugin decides the scope of those after it), also for plugins whose
 * handler is skipped because an earlier one exited: their later phases run (as in Kong). */
enum phase_result phase_run(struct request *request, enum plugin_phase phase);
/* Chooses the configurations without running anything: for requests that end before access. */
void phase_select(struct request *request);
/* Does any plugin that takes part in this request have a handler for `phase`? */
bool phase_has(const struct request *request, enum plugin_phase phase);

#endif
