/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_host.h -- the gateway's side of pdk.h: the tables of functions behind struct pdk.
 *
 * One file per group of tables (pdk_request.c, pdk_service.c, pdk_response.c, pdk_client.c,
 * pdk_ctx.c, pdk_timer.c, pdk_log.c); pdk_host.c puts them together and checks phases, in one
 * place. */
#ifndef SLUICE_PROXY_PDK_HOST_H
#define SLUICE_PROXY_PDK_HOST_H

#include "pdk.h"
#include "proxy/request.h"

/* The table for code without a worker: configure() and check() on the admin thread, loading. */
const struct pdk *pdk_host_offline(void);
/* Fills in `kong` for one plugin on one worker. */
void pdk_host_init(struct pdk *kong, struct worker *worker, const char *plugin_name);

/* Is the phase that runs now among `allowed` (PDK_PHASE_ bits)? Otherwise the log says so, naming
 * `function`, the current and the allowed phases. */
bool pdk_host_check(struct request *request, unsigned allowed, const char *function);
/* Names the plugin that runs now; "" if none. */
const char *pdk_host_plugin_name(const struct request *request);
/* Copies a field's name and value into the request's arena, field[0] and field[1]. False: no
 * memory.
 */
bool pdk_host_keep_field(struct request *request, struct pdk_str name, struct pdk_str value,
                         struct slice field[2]) __attribute__((warn_unused_result));

/* Ends the ctx values that plugins keep with a request. */
void pdk_host_end_request(struct request *request);
/* No handler is waited for any more: its ticket comes to nothing, the next phase starts afresh. */
void pdk_host_end_suspension(struct request *request);
/* Runs or drops the plugins' pending timers at the end of a worker. */
void pdk_host_end_worker(struct worker *worker);

enum {
    PDK_ALL = PDK_PHASE_REWRITE | PDK_PHASE_ACCESS | PDK_PHASE_RESPONSE | PDK_PHASE_HEADER |
              PDK_PHASE_BODY | PDK_PHASE_LOG,
    PDK_AUTH = PDK_ALL & ~PDK_PHASE_REWRITE,
    PDK_BEFORE = PDK_PHASE_REWRITE | PDK_PHASE_ACCESS,
    PDK_ANSWERED = PDK_PHASE_RESPONSE | PDK_PHASE_HEADER | PDK_PHASE_BODY | PDK_PHASE_LOG,
    PDK_SETTING = PDK_PHASE_REWRITE | PDK_PHASE_ACCESS | PDK_PHASE_RESPONSE | PDK_PHASE_HEADER,
};

static inline struct slice pdk_slice(struct pdk_str s)
{
    return (struct slice){s.ptr, s.len};
}

static inline struct pdk_str pdk_text(struct slice s)
{
    return (struct pdk_str){s.ptr, s.len};
}

extern const struct pdk_request_api pdk_request_table;
extern const struct pdk_service_request_api pdk_service_request_table;
extern const struct pdk_service_api pdk_service_table;
extern const struct pdk_service_response_api pdk_service_response_table;
extern const struct pdk_response_api pdk_response_table;
extern const struct pdk_client_api pdk_client_table;
extern const struct pdk_router_api pdk_router_table;
extern const struct pdk_plugin_api pdk_plugin_table;
extern const struct pdk_ctx_api pdk_ctx_table;
extern const struct pdk_log_api pdk_log_table;
extern const struct pdk_node_api pdk_node_table;
extern const struct pdk_timer_api pdk_timer_table;
extern const struct pdk_counters_api pdk_counters_table;

#endif
