/* SPDX-License-Identifier: Apache-2.0 */
/* fake_pdk.h -- tables of pdk.h over a plain struct, for tests of what is a client of them. */
#ifndef SPEC_UNIT_PLUGIN_FAKE_PDK_H
#define SPEC_UNIT_PLUGIN_FAKE_PDK_H

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "pdk.h"

enum { FAKE_HEADERS = 64, FAKE_VALUES = 32, FAKE_TIMERS = 8, FAKE_ALLOCS = 64 };

struct fake_header {
    char name[64];
    char value[256];
};

struct fake_headers {
    struct fake_header list[FAKE_HEADERS];
    size_t count;
};

struct pdk_ticket {
    bool is_resumed;
};

struct pdk_request {
    struct fake_headers in, to_service, to_client;
    struct pdk_str body;
    bool is_body_there;
    int exit_status; /* 0: none */
    char exit_body[256];
    char upstream_path[128];
    struct {
        const void *key;
        void *value;
        void (*destroy)(void *value);
    } values[FAKE_VALUES];
    size_t value_count;
    void *allocs[FAKE_ALLOCS];
    size_t alloc_count;
    struct pdk_ticket ticket;
    char chunk[256];
    bool is_last;
    const struct pdk_consumer *consumer;
};

struct pdk_worker {
    char log[8192]; /* lines, newest last */
    int64_t now_ms;
    struct {
        void (*fn)(const struct pdk *kong, void *argument);
        void *argument;
        int64_t delay_ms;
    } timers[FAKE_TIMERS];
    size_t timer_count;
};

static void fake_put(struct fake_headers *headers, struct pdk_str name, struct pdk_str value)
{
    struct fake_header *header = &headers->list[headers->count++];
    (void)snprintf(header->name, sizeof(header->name), "%.*s", (int)name.len, name.ptr);
    (void)snprintf(header->value, sizeof(header->value), "%.*s", (int)value.len, value.ptr);
}

static void fake_remove(struct fake_headers *headers, struct pdk_str name)
{
    size_t kept = 0;
    for (size_t i = 0; i < headers->count; i++)
        if (strlen(headers->list[i].name) != name.len ||
            strncasecmp(headers->list[i].name, name.ptr, name.len) != 0)
            headers->list[kept++] = headers->list[i];
    headers->count = kept;
}

static struct pdk_str fake_find(const struct fake_headers *headers, struct pdk_str name)
{
    for (size_t i = 0; i < headers->count; i++)
        if (strlen(headers->list[i].name) == name.len &&
            strncasecmp(headers->list[i].name, name.ptr, name.len) == 0)
            return pdk_str_of(headers->list[i].value);
    return (struct pdk_str){NULL, 0};
}

static bool fake_at(const struct fake_headers *headers, size_t index, struct pdk_str *name,
                    struct pdk_str *value)
{
    if (index >= headers->count)
        return false;
    *name = pdk_str_of(headers->list[index].name);
    *value = pdk_str_of(headers->list[index].value);
    return true;
}

/* ------------------------------------------------------------------------------------- request */
static struct pdk_str fake_get_header(struct pdk_request *req, struct pdk_str name)
{
    return fake_find(&req->in, name);
}

static bool fake_header_at(struct pdk_request *req, size_t index, struct pdk_str *name,
                           struct pdk_str *value)
{
    return fake_at(&req->in, index, name, value);
}

static struct pdk_str fake_get_method(struct pdk_request *req)
{
    (void)req;
    return PDK_STR("GET");
}

static struct pdk_str fake_get_path(struct pdk_request *req)
{
    (void)req;
    return PDK_STR("/orders");
}

static struct pdk_str fake_get_raw_query(struct pdk_request *req)
{
    (void)req;
    return PDK_STR("a=1&b&a=2");
}

static bool fake_query_at(struct pdk_request *req, size_t index, struct pdk_str *name,
                          struct pdk_str *value, bool *is_bare)
{
    static const char *const pairs[][2] = {{"a", "1"}, {"b", NULL}, {"a", "2"}};
    (void)req;
    if (index >= sizeof(pairs) / sizeof(pairs[0]))
        return false;
    *name = pdk_str_of(pairs[index][0]);
    *value = pdk_str_of(pairs[index][1]);
    *is_bare = pairs[index][1] == NULL;
    return true;
}

static enum pdk_result fake_get_raw_body(struct pdk_request *req, struct pdk_str *body)
{
    if (!req->is_body_there)
        return PDK_SUSPEND;
    *body = req->body;
    return PDK_OK;
}

static const struct pdk_request_api fake_request = {
    .size = sizeof(struct pdk_request_api),
    .get_header = fake_get_header,
    .header_at = fake_header_at,
    .get_method = fake_get_method,
    .get_path = fake_get_path,
    .get_raw_query = fake_get_raw_query,
    .query_at = fake_query_at,
    .get_raw_body = fake_get_raw_body,
};

/* ---------------------------------------------------------------------------- service, response */
static bool fake_service_set_header(struct pdk_request *req, struct pdk_str name,
                                    struct pdk_str value)
{
    fake_remove(&req->to_service, name);
    fake_put(&req->to_service, name, value);
    return true;
}

static bool fake_service_set_path(struct pdk_request *req, struct pdk_str path)
{
    (void)snprintf(req->upstream_path, sizeof(req->upstream_path), "%.*s", (int)path.len, path.ptr);
    return true;
}

static const struct pdk_service_request_api fake_service_request = {
    .size = sizeof(struct pdk_service_request_api),
    .set_header = fake_service_set_header,
    .set_path = fake_service_set_path,
};

static bool fake_set_header(struct pdk_request *req, struct pdk_str name, struct pdk_str value)
{
    fake_remove(&req->to_client, name);
    fake_put(&req->to_client, name, value);
    return true;
}

static bool fake_add_header(struct pdk_request *req, struct pdk_str name, struct pdk_str value)
{
    fake_put(&req->to_client, name, value);
    return true;
}

static struct pdk_str fake_response_header(struct pdk_request *req, struct pdk_str name)
{
    return fake_find(&req->to_client, name);
}

static bool fake_response_header_at(struct pdk_request *req, size_t index, struct pdk_str *name,
                                    struct pdk_str *value)
{
    return fake_at(&req->to_client, index, name, value);
}

static enum pdk_result fake_exit(struct pdk_request *req, int status, struct pdk_str body)
{
    req->exit_status = status;
    (void)snprintf(req->exit_body, sizeof(req->exit_body), "%.*s", (int)body.len,
                   body.ptr == NULL ? "" : body.ptr);
    return PDK_EXIT;
}

static struct pdk_str fake_get_chunk(struct pdk_request *req, bool *is_last)
{
    *is_last = req->is_last;
    return pdk_str_of(req->chunk);
}

static bool fake_set_chunk(struct pdk_request *req, struct pdk_str chunk)
{
    (void)snprintf(req->chunk, sizeof(req->chunk), "%.*s", (int)chunk.len, chunk.ptr);
    return true;
}

static const struct pdk_response_api fake_response = {
    .size = sizeof(struct pdk_response_api),
    .get_header = fake_response_header,
    .header_at = fake_response_header_at,
    .set_header = fake_set_header,
    .add_header = fake_add_header,
    .exit = fake_exit,
    .get_chunk = fake_get_chunk,
    .set_chunk = fake_set_chunk,
};

/* --------------------------------------------------------------------------------------- client */
static const struct pdk_consumer *fake_get_consumer(struct pdk_request *req)
{
    return req->consumer;
}

static const struct pdk_consumer *fake_load_consumer(struct pdk_request *req, struct pdk_str id,
                                                     bool by_username)
{
    (void)req;
    (void)id;
    (void)by_username;
    return NULL;
}

static bool fake_authenticate(struct pdk_request *req, const struct pdk_consumer *consumer,
                              const struct pdk_credential *credential)
{
    (void)credential;
    req->consumer = consumer;
    return true;
}

static const struct pdk_client_api fake_client = {
    .size = sizeof(struct pdk_client_api),
    .get_consumer = fake_get_consumer,
    .load_consumer = fake_load_consumer,
    .authenticate = fake_authenticate,
};

/* ----------------------------------------------------------------------------------------- ctx */
static void *fake_alloc(struct pdk_request *req, size_t bytes)
{
    void *memory = calloc(1, bytes);
    req->allocs[req->alloc_count++] = memory;
    return memory;
}

static void *fake_ctx_get(struct pdk_request *req, const void *key)
{
    for (size_t i = 0; i < req->value_count; i++)
        if (req->values[i].key == key)
            return req->values[i].value;
    return NULL;
}

static bool fake_ctx_set(struct pdk_request *req, const void *key, void *value,
                         void (*destroy)(void *value))
{
    req->values[req->value_count].key = key;
    req->values[req->value_count].value = value;
    req->values[req->value_count++].destroy = destroy;
    return true;
}

static const struct pdk_ctx_api fake_ctx = {
    .size = sizeof(struct pdk_ctx_api),
    .alloc = fake_alloc,
    .get = fake_ctx_get,
    .set = fake_ctx_set,
};

/* Ends a request: what its ctx holds goes. */
static inline void fake_end(struct pdk_request *req)
{
    for (size_t i = req->value_count; i > 0; i--)
        if (req->values[i - 1].destroy != NULL)
            req->values[i - 1].destroy(req->values[i - 1].value);
    for (size_t i = 0; i < req->alloc_count; i++)
        free(req->allocs[i]);
    *req = (struct pdk_request){0};
}

/* --------------------------------------------------------------------------- log, node and timers
 */
static bool fake_is_enabled(const struct pdk *kong, enum pdk_log_level level)
{
    (void)kong;
    return level > PDK_DEBUG;
}

static void fake_write(const struct pdk *kong, struct pdk_request *req, enum pdk_log_level level,
                       struct pdk_str text)
{
    (void)req;
    size_t at = strlen(kong->worker->log);
    (void)snprintf(kong->worker->log + at, sizeof(kong->worker->log) - at, "%d [%s] %.*s\n",
                   (int)level, kong->plugin_name == NULL ? "" : kong->plugin_name, (int)text.len,
                   text.ptr);
}

static const struct pdk_log_api fake_log = {
    .size = sizeof(struct pdk_log_api),
    .is_enabled = fake_is_enabled,
    .write = fake_write,
};

static struct pdk_str fake_version(const struct pdk *kong)
{
    (void)kong;
    return PDK_STR("3.9.1");
}

static int64_t fake_now_ms(const struct pdk *kong)
{
    return kong->worker->now_ms;
}

static struct pdk_str fake_configuration(const struct pdk *kong, struct pdk_str key)
{
    (void)kong;
    return pdk_str_eq(key, PDK_STR("anonymous_reports")) ? PDK_STR("off")
                                                         : (struct pdk_str){NULL, 0};
}

static const struct pdk_node_api fake_node = {
    .size = sizeof(struct pdk_node_api),
    .get_version = fake_version,
    .now_ms = fake_now_ms,
    .get_configuration = fake_configuration,
};

static struct pdk_ticket *fake_suspend(struct pdk_request *req)
{
    req->ticket.is_resumed = false;
    return &req->ticket;
}

static void fake_resume(struct pdk_ticket *ticket)
{
    ticket->is_resumed = true;
}

static bool fake_after(const struct pdk *kong, int64_t delay_ms,
                       void (*fn)(const struct pdk *kong, void *argument), void *argument)
{
    struct pdk_worker *worker = kong->worker;
    worker->timers[worker->timer_count].fn = fn;
    worker->timers[worker->timer_count].argument = argument;
    worker->timers[worker->timer_count++].delay_ms = delay_ms;
    return true;
}

static const struct pdk_timer_api fake_timer = {
    .size = sizeof(struct pdk_timer_api),
    .suspend = fake_suspend,
    .resume = fake_resume,
    .after = fake_after,
};

static const struct pdk_service_api fake_service = {.size = sizeof(struct pdk_service_api)};
static const struct pdk_service_response_api fake_service_response = {
    .size = sizeof(struct pdk_service_response_api)};
static const struct pdk_router_api fake_router = {.size = sizeof(struct pdk_router_api)};
static const struct pdk_plugin_api fake_plugin = {.size = sizeof(struct pdk_plugin_api)};

static inline struct pdk fake_pdk(struct pdk_worker *worker)
{
    return (struct pdk){.abi = PDK_ABI,
                        .size = sizeof(struct pdk),
                        .request = &fake_request,
                        .service_request = &fake_service_request,
                        .service = &fake_service,
                        .service_response = &fake_service_response,
                        .response = &fake_response,
                        .client = &fake_client,
                        .router = &fake_router,
                        .plugin = &fake_plugin,
                        .ctx = &fake_ctx,
                        .log = &fake_log,
                        .node = &fake_node,
                        .timer = &fake_timer,
                        .worker = worker};
}

#endif
