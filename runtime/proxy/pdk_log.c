/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_log.c -- kong.log, kong.node, kong.counters. */
#include <jansson.h>

#include "proxy/log_record.h"
#include "proxy/pdk_host.h"

static struct worker *worker_of(const struct pdk *kong)
{
    return (struct worker *)(void *)kong->worker;
}

static bool log_is_wanted(const struct pdk *kong, enum pdk_log_level level)
{
    struct worker *worker = worker_of(kong);
    return worker != NULL && log_enabled(worker->shared->error_log, (enum log_level)level);
}

static void log_text(const struct pdk *kong, struct pdk_request *req, enum pdk_log_level level,
                     struct pdk_str text)
{
    struct worker *worker = worker_of(kong);
    if (!log_is_wanted(kong, level))
        return;
    if (req != NULL)
        request_log(request_of(req), (enum log_level)level, "[%s] %.*s", kong->plugin_name,
                    (int)text.len, text.ptr);
    else
        log_write(worker->shared->error_log, (enum log_level)level, "[%s] %.*s", kong->plugin_name,
                  (int)text.len, text.ptr);
}

static struct pdk_str serialize(struct pdk_request *req)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_PHASE_LOG, "kong.log.serialize"))
        return (struct pdk_str){NULL, 0};
    return pdk_text(log_record_make(request));
}

static bool set_serialize_value(struct pdk_request *req, struct pdk_str key, struct pdk_str json,
                                struct pdk_str mode)
{
    static const char function[] = "kong.log.set_serialize_value";
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_ALL, function))
        return false;
    struct log_value *value = arena_calloc(request->arena, sizeof(*value));
    if (value == NULL || key.len == 0)
        return false;
    if (mode.ptr == NULL || pdk_str_eq(mode, PDK_STR("set")))
        value->mode = LOG_VALUE_SET;
    else if (pdk_str_eq(mode, PDK_STR("add")))
        value->mode = LOG_VALUE_ADD;
    else if (pdk_str_eq(mode, PDK_STR("replace")))
        value->mode = LOG_VALUE_REPLACE;
    else
        return false;
    value->path = arena_copy(request->arena, pdk_slice(key));
    if (json.ptr != NULL) {
        json_t *parsed = json_loadb(json.ptr, json.len, JSON_DECODE_ANY, NULL);
        if (parsed == NULL) {
            request_log(request, LOG_LEVEL_ERROR, "[%s] %s: the value is not JSON",
                        pdk_host_plugin_name(request), function);
            return false;
        }
        json_decref(parsed);
        value->json = arena_copy(request->arena, pdk_slice(json));
    }
    struct log_value **at = &request->log_values;
    while (*at != NULL)
        at = &(*at)->next;
    *at = value;
    return value->path.ptr != NULL;
}

const struct pdk_log_api pdk_log_table = {
    .size = sizeof(struct pdk_log_api),
    .is_enabled = log_is_wanted,
    .write = log_text,
    .serialize = serialize,
    .set_serialize_value = set_serialize_value,
};

static struct pdk_str node_id(const struct pdk *kong)
{
    struct worker *worker = worker_of(kong);
    return pdk_str_of(worker == NULL ? "" : worker->shared->node_id);
}

static struct pdk_str hostname(const struct pdk *kong)
{
    struct worker *worker = worker_of(kong);
    return pdk_str_of(worker == NULL ? "" : worker->options->hostname);
}

static struct pdk_str version(const struct pdk *kong)
{
    (void)kong;
    return PDK_STR(KONG_VERSION);
}

static int worker_id(const struct pdk *kong)
{
    struct worker *worker = worker_of(kong);
    return worker == NULL ? 0 : worker->id;
}

static int worker_total(const struct pdk *kong)
{
    struct worker *worker = worker_of(kong);
    return worker == NULL ? 0 : worker->options->workers;
}

static int64_t now_ms(const struct pdk *kong)
{
    struct worker *worker = worker_of(kong);
    return worker == NULL ? 0 : loop_wall_ms(worker->loop);
}

static struct pdk_str configuration(const struct pdk *kong, struct pdk_str key)
{
    struct worker *worker = worker_of(kong);
    char name[128];
    if (worker == NULL || key.len >= sizeof(name))
        return (struct pdk_str){NULL, 0};
    memcpy(name, key.ptr, key.len);
    name[key.len] = '\0';
    return pdk_str_of(options_text(worker->options, name));
}

const struct pdk_node_api pdk_node_table = {
    .size = sizeof(struct pdk_node_api),
    .get_id = node_id,
    .get_hostname = hostname,
    .get_version = version,
    .get_worker_id = worker_id,
    .get_worker_count = worker_total,
    .now_ms = now_ms,
    .get_configuration = configuration,
};

static bool counters_take_for(const struct pdk *kong, struct pdk_str key,
                              struct pdk_window *windows, size_t count, int64_t cost)
{
    struct worker *worker = worker_of(kong);
    return worker == NULL || counters_take(worker->shared->counters, key, windows, count, cost,
                                           loop_wall_ms(worker->loop) / 1000);
}

const struct pdk_counters_api pdk_counters_table = {
    .size = sizeof(struct pdk_counters_api),
    .take = counters_take_for,
};
