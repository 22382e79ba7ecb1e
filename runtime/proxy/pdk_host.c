/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_host.c -- puts the PDK tables together; the one place where phases are checked. */
#include "proxy/pdk_host.h"

#include <stdio.h>

#include "plugin/plugin_conf.h"

static const struct {
    unsigned bit;
    const char *name;
} phase_names[] = {
    {PDK_PHASE_INIT_WORKER, "init_worker"}, {PDK_PHASE_CERTIFICATE, "certificate"},
    {PDK_PHASE_REWRITE, "rewrite"},         {PDK_PHASE_ACCESS, "access"},
    {PDK_PHASE_RESPONSE, "response"},       {PDK_PHASE_HEADER, "header_filter"},
    {PDK_PHASE_BODY, "body_filter"},        {PDK_PHASE_LOG, "log"},
};

static void name_phases(unsigned phases, char out[128])
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(phase_names) / sizeof(phase_names[0]); i++)
        if ((phases & phase_names[i].bit) != 0)
            n += (size_t)snprintf(out + n, 128 - n, "%s%s", n > 0 ? ", " : "", phase_names[i].name);
    if (n == 0)
        snprintf(out, 128, "none");
}

bool pdk_host_check(struct request *request, unsigned allowed, const char *function)
{
    if ((request->phase.running & allowed) != 0)
        return true;
    char current[128], names[128];
    name_phases(request->phase.running, current);
    name_phases(allowed, names);
    request_log(request, LOG_LEVEL_ERROR, "[%s] %s cannot be called in %s phase (only in: %s)",
                pdk_host_plugin_name(request), function, current, names);
    return false;
}

const char *pdk_host_plugin_name(const struct request *request)
{
    return request->phase.config == NULL ? "" : request->phase.config->type->name;
}

bool pdk_host_keep_field(struct request *request, struct pdk_str name, struct pdk_str value,
                         struct slice field[2])
{
    char *copy = arena_alloc(request->arena, name.len + value.len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, name.ptr, name.len);
    if (value.len > 0)
        memcpy(copy + name.len, value.ptr, value.len);
    field[0] = slice_make(copy, name.len);
    field[1] = slice_make(copy + name.len, value.len);
    return true;
}

#define TABLES                                                                                     \
    .abi = PDK_ABI, .size = sizeof(struct pdk), .request = &pdk_request_table,                     \
    .service_request = &pdk_service_request_table, .service = &pdk_service_table,                  \
    .service_response = &pdk_service_response_table, .response = &pdk_response_table,              \
    .client = &pdk_client_table, .router = &pdk_router_table, .plugin = &pdk_plugin_table,         \
    .ctx = &pdk_ctx_table, .log = &pdk_log_table, .node = &pdk_node_table,                         \
    .timer = &pdk_timer_table, .counters = &pdk_counters_table, .conf = &plugin_conf_table

const struct pdk *pdk_host_offline(void)
{
    static const struct pdk offline = {TABLES, .plugin_name = ""};
    return &offline;
}

void pdk_host_init(struct pdk *kong, struct worker *worker, const char *plugin_name)
{
    *kong = (struct pdk){TABLES, .worker = (struct pdk_worker *)(void *)worker,
                         .plugin_name = plugin_name};
}
