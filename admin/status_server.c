/* SPDX-License-Identifier: Apache-2.0 */
/* status_server.c -- /status, /status/ready and /metrics on a listener of their own. */
#include "admin/status_server.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "config/options.h"
#include "admin/form.h"
#include "admin/info.h"
#include "admin/routes.h"
#include "admin/transport.h"

enum { MAX_BODY_BYTES = 65536 }; /* of POST /status/ready */

struct status_server {
    struct status_callbacks callbacks;
    const struct options *options;
    struct routes *routes;
    struct transport *transport;
    bool is_draining;
};

static void run_status(struct call *call)
{
    const struct status_server *server = call->context;
    if (!info_check_unit(call))
        return;
    json_t *body = info_status_body(strcmp(server->options->database, "off") != 0);
    if (body != NULL && server->callbacks.fill_status != NULL)
        server->callbacks.fill_status(server->callbacks.context, body);
    call_json(call, 200, body);
}

/* POST status=draining takes the node out of load balancers without stopping it. */
static void run_ready(struct call *call)
{
    struct status_server *server = call->context;
    if (call->method == CALL_POST) {
        const char *wanted = json_string_value(json_object_get(call->args, "status"));
        if (wanted != NULL && strcmp(wanted, "draining") == 0) {
            server->is_draining = true;
            call_empty(call, 204);
        } else {
            call_message(call, 400, "status must be 'draining'");
        }
        return;
    }
    const char *reason =
        server->is_draining ? "draining" : server->callbacks.not_ready(server->callbacks.context);
    if (reason == NULL)
        call_message(call, 200, "ready");
    else
        call_message(call, 503, "%s", reason);
}

static void run_metrics(struct call *call)
{
    const struct status_server *server = call->context;
    char *text = server->callbacks.metrics == NULL
                     ? NULL
                     : server->callbacks.metrics(server->callbacks.context);
    if (text == NULL)
        call_not_found(call);
    else
        call_text(call, 200, "text/plain; charset=UTF-8", text);
    free(text);
}

static const struct routes_entry fixed_routes[] = {
    {.pattern = "/status", .methods = ROUTES_GET, .run = run_status},
    {.pattern = "/status/ready", .methods = ROUTES_GET | ROUTES_POST, .run = run_ready},
    {.pattern = "/metrics", .methods = ROUTES_GET, .run = run_metrics},
    {.pattern = NULL},
};

/* The one body that this API takes: a form or a JSON object. */
static bool decode(struct call *call)
{
    struct slice json = SLICE("application/json");
    bool is_json = call->content_type.len >= json.len &&
                   slice_eq_nocase(slice_make(call->content_type.ptr, json.len), json);
    if (form_decode_urlencoded(call->raw_query, false, &call->query) != FORM_OK ||
        (!is_json && call->raw_body.len > 0 &&
         form_decode_urlencoded(call->raw_body, true, &call->args) != FORM_OK)) {
        call_message(call, 400, "Cannot parse form body");
        return false;
    }
    if (is_json)
        call->args = json_loadb(call->raw_body.len == 0 ? "" : call->raw_body.ptr,
                                call->raw_body.len, 0, NULL);
    if (is_json && call->args == NULL)
        call_message(call, 400, "Cannot parse JSON body");
    return !call_is_answered(call);
}

static void handle(void *context, struct call *call)
{
    struct status_server *server = context;
    call->context = server;
    if (routes_find(server->routes, call) && decode(call))
        call->route->run(call);
    if (!call_is_answered(call))
        call_unexpected(call);
}

struct status_server *status_server_create(struct loop *loop, const struct options *options,
                                           const int *sockets,
                                           const struct status_callbacks *callbacks, char **error)
{
    struct status_server *server = calloc(1, sizeof(*server));
    *error = NULL;
    if (server == NULL)
        return NULL;
    server->callbacks = *callbacks;
    server->options = options;
    struct transport_config transport = {
        .addresses = &options->status_listen,
        .sockets = sockets,
        .tls = callbacks->tls,
        .max_body_bytes = MAX_BODY_BYTES,
        .has_server = options->headers.server,
        .has_latency = options->headers.admin_latency,
        .error_log = callbacks->error_log,
        .access_log = callbacks->access_log,
        .handle = handle,
        .context = server,
    };
    server->routes = routes_create(fixed_routes, NULL);
    if (server->routes != NULL)
        server->transport = transport_create(loop, &transport, error);
    if (server->transport == NULL) {
        status_server_destroy(server);
        return NULL;
    }
    return server;
}

void status_server_destroy(struct status_server *server)
{
    if (server == NULL)
        return;
    transport_destroy(server->transport);
    routes_destroy(server->routes);
    free(server);
}
