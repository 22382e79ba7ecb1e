/* SPDX-License-Identifier: Apache-2.0 */
/* server.c -- the Admin API: from a call to its handler.
 *
 *   CORS headers -> path and method -> query -> content type and body -> handler */
#include "admin/server.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/config.h"
#include "config/options.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/form.h"
#include "admin/info.h"
#include "admin/routes.h"
#include "admin/tags.h"
#include "admin/transport.h"

struct admin_server {
    struct admin_config config;
    struct routes *routes;
    struct transport *transport;
    char config_hash[CONFIG_HASH_BYTES];
};

static const struct routes_entry fixed_routes[] = {
    {.pattern = "/", .methods = ROUTES_GET, .run = info_root},
    {.pattern = "/status", .methods = ROUTES_GET, .run = info_status},
    {.pattern = "/robots.txt", .methods = ROUTES_GET, .run = info_robots},
    {.pattern = "/endpoints", .methods = ROUTES_GET, .run = info_endpoints},
    {.pattern = "/plugins/enabled", .methods = ROUTES_GET, .run = info_enabled},
    {.pattern = "/plugins/schema/{name}", .methods = ROUTES_GET, .run = info_plugin_config},
    {.pattern = "/schemas/{name}", .methods = ROUTES_GET, .run = info_schema},
    {.pattern = "/schemas/plugins/{name}", .methods = ROUTES_GET, .run = info_plugin_schema},
    {.pattern = "/schemas/{name}/validate", .methods = ROUTES_POST, .run = info_validate},
    {.pattern = "/schemas/plugins/validate", .methods = ROUTES_POST, .run = info_plugin_validate},
    {.pattern = "/config",
     .methods = ROUTES_GET | ROUTES_POST,
     .run = config_run,
     .takes_yaml = true},
    {.pattern = "/tags",
     .methods = ROUTES_GET | ROUTES_POST | ROUTES_PUT | ROUTES_PATCH | ROUTES_DELETE,
     .run = tags_all},
    {.pattern = "/tags/{tags}",
     .methods = ROUTES_GET | ROUTES_POST | ROUTES_PUT | ROUTES_PATCH | ROUTES_DELETE,
     .run = tags_one},
    {.pattern = NULL},
};

/* ------------------------------------------------------------------------------------------ CORS
 */

/* The origin to allow: the caller's own, unless admin_gui_url lists the allowed ones, of which the
 * first stands in for an origin that is not among them. */
static void add_origin(struct call *call, const char *allowed)
{
    const char *origin = evhttp_find_header(call->headers_in, "Origin");
    char first[512] = "";
    struct slice rest = slice_of(allowed), item;
    while (rest.ptr != NULL && slice_split(&rest, ',', &item)) {
        item = slice_trim(item);
        /* An origin is scheme, host and port; a listed URL may have a path (RFC 6454). */
        const char *host = memmem(item.ptr, item.len, "://", 3);
        size_t from = host == NULL ? 0 : (size_t)(host - item.ptr) + 3;
        item.len = from + slice_find(slice_from(item, from), '/');
        if (item.len == 0 || item.len >= sizeof(first))
            continue;
        if (first[0] == '\0')
            snprintf(first, sizeof(first), "%.*s", SLICE_ARG(item));
        if (origin != NULL && slice_eq(item, slice_of(origin)))
            snprintf(first, sizeof(first), "%s", origin);
        if (origin != NULL && strcmp(first, origin) == 0)
            break;
    }
    const char *value = first[0] != '\0' ? first : origin != NULL ? origin : "*";
    evhttp_add_header(call->headers_out, "Access-Control-Allow-Origin", value);
    evhttp_add_header(call->headers_out, "Access-Control-Allow-Credentials", "true");
}

static void add_allow(struct call *call)
{
    char allow[ROUTES_ALLOW_BYTES];
    routes_allow(call->route, allow);
    const char *wanted = evhttp_find_header(call->headers_in, "Access-Control-Request-Headers");
    evhttp_add_header(call->headers_out, "Allow", allow);
    evhttp_add_header(call->headers_out, "Access-Control-Allow-Methods", allow);
    evhttp_add_header(call->headers_out, "Access-Control-Allow-Headers",
                      wanted == NULL ? "Content-Type" : wanted);
}

/* ------------------------------------------------------------------------------------------ body
 */

enum body_kind { BODY_NONE, BODY_JSON, BODY_FORM, BODY_MULTIPART, BODY_YAML, BODY_REFUSED };

static enum body_kind body_kind(const struct call *call)
{
    static const struct {
        struct slice prefix;
        enum body_kind kind;
    } kinds[] = {
        {{"application/json", 16}, BODY_JSON},
        {{"multipart/form-data", 19}, BODY_MULTIPART},
        {{"application/x-www-form-urlencoded", 33}, BODY_FORM},
        {{"application/yaml", 16}, BODY_YAML},
        {{"text/yaml", 9}, BODY_YAML},
    };
    struct slice type = call->content_type;
    if (call->content_type_count == 0)
        return call->raw_body.len == 0 ? BODY_NONE : BODY_REFUSED;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct slice prefix = kinds[i].prefix;
        if (type.len >= prefix.len && slice_eq_nocase(slice_make(type.ptr, prefix.len), prefix))
            return kinds[i].kind == BODY_YAML && !call->route->takes_yaml ? BODY_REFUSED
                                                                          : kinds[i].kind;
    }
    return BODY_REFUSED;
}

static void decode_json(struct call *call)
{
    json_t *value = json_loadb(call->raw_body.ptr == NULL ? "" : call->raw_body.ptr,
                               call->raw_body.len, 0, NULL);
    /* Some languages cannot tell an empty object from an empty array. */
    if (json_is_array(value) && json_array_size(value) == 0) {
        json_decref(value);
        value = json_object();
    }
    if (!json_is_object(value)) {
        json_decref(value);
        call_message(call, 400, "Cannot parse JSON body");
        return;
    }
    call->args = value;
}

static void answer_form(struct call *call, enum form_result result, const char *what)
{
    switch (result) {
    case FORM_OK: break;
    case FORM_TOO_MANY: call_message(call, 400, "Too many arguments"); break;
    case FORM_BAD: call_message(call, 400, "Cannot parse %s", what); break;
    case FORM_NO_MEMORY: call_unexpected(call); break;
    }
}

/* False: answered. */
static bool decode_body(struct call *call)
{
    if (call->content_type_count > 1) {
        call_text(call, 400, "text/plain; charset=utf-8",
                  "Multiple Content-Type headers not allowed");
        return false;
    }
    call->is_form = false;
    switch (body_kind(call)) {
    case BODY_JSON: decode_json(call); break;
    case BODY_FORM:
        call->is_form = true;
        answer_form(call, form_decode_urlencoded(call->raw_body, true, &call->args), "form body");
        break;
    case BODY_MULTIPART:
        call->is_form = true;
        answer_form(call, form_decode_multipart(call->raw_body, call->content_type, &call->args),
                    "multipart body");
        break;
    case BODY_NONE:
    case BODY_YAML: call->args = json_object(); break;
    case BODY_REFUSED: call_empty(call, 415); break;
    }
    if (!call_is_answered(call) && call->args == NULL)
        call_unexpected(call);
    return !call_is_answered(call);
}

static bool decode(struct call *call)
{
    answer_form(call, form_decode_urlencoded(call->raw_query, false, &call->query), "query");
    if (call_is_answered(call))
        return false;
    if (call->method == CALL_POST || call->method == CALL_PUT || call->method == CALL_PATCH)
        return decode_body(call);
    call->args = json_object();
    if (call->args == NULL)
        call_unexpected(call);
    return call->args != NULL;
}

static void handle(void *context, struct call *call)
{
    struct admin_server *server = context;
    call->config = &server->config;
    call->server = server;
    add_origin(call, server->config.options->admin_gui_url);
    if (routes_find(server->routes, call) && decode(call))
        call->route->run(call);
    if (call->method == CALL_OPTIONS && call->route != NULL)
        add_allow(call);
    if (!call_is_answered(call))
        call_unexpected(call);
}

/* ---------------------------------------------------------------------------------------- server
 */

struct admin_server *admin_server_create(struct loop *loop, const struct admin_config *config,
                                         char **error)
{
    const struct options *options = config->options;
    struct admin_server *server = calloc(1, sizeof(*server));
    *error = NULL;
    if (server == NULL)
        return NULL;
    server->config = *config;
    if (strcmp(store_kind(config->store), "off") == 0 &&
        !config_hash_store(config->store, server->config_hash)) {
        free(server);
        return NULL;
    }
    struct transport_config transport = {
        .addresses = &options->admin_listen,
        .sockets = config->sockets,
        .tls = config->tls,
        .max_body_bytes = options->admin_max_body_bytes,
        .has_server = options->headers.server,
        .has_latency = options->headers.admin_latency,
        .error_log = config->error_log,
        .access_log = config->access_log,
        .handle = handle,
        .context = server,
    };
    server->routes = routes_create(fixed_routes, schema_core());
    if (server->routes != NULL)
        server->transport = transport_create(loop, &transport, error);
    if (server->transport == NULL) {
        admin_server_destroy(server);
        return NULL;
    }
    return server;
}

void admin_server_destroy(struct admin_server *server)
{
    if (server == NULL)
        return;
    transport_destroy(server->transport);
    routes_destroy(server->routes);
    free(server);
}

json_t *admin_server_endpoints(const struct admin_server *server)
{
    return routes_list(server->routes);
}

char *admin_server_config_hash(struct admin_server *server)
{
    return server->config_hash;
}
