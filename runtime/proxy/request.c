/* SPDX-License-Identifier: Apache-2.0 */
/* request.c -- walks a request along the line in request.h. Each step either goes on to the next,
 * or leaves the rest to a callback (client, upstream, DNS, a plugin's ticket) that comes back here.
 */
#include "proxy/request.h"

#include <openssl/ssl.h>
#include <stdio.h>

#include "http/uri.h"
#include "proxy/access_log.h"
#include "proxy/body.h"
#include "proxy/client.h"
#include "proxy/forwarded.h"
#include "proxy/local.h"
#include "proxy/pdk_host.h"
#include "proxy/phase.h"
#include "proxy/relay.h"
#include "proxy/response.h"
#include "proxy/upstream.h"

void request_log(struct request *request, enum log_level level, const char *format, ...)
{
    struct log *log = request->worker->shared->error_log;
    char text[2048];
    va_list args;
    if (!log_enabled(log, level))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const struct http1_head *head = &request->in.head;
    log_write(log, level,
              "*%llu %s, client: %.*s, server: kong, request: \"%.*s %.*s HTTP/1.%d\", host: "
              "\"%.*s\", request_id: \"%.32s\"",
              (unsigned long long)request->client->requests, text, request->client->ip_len,
              request->client->ip, SLICE_ARG(head->method), SLICE_ARG(head->target),
              head->minor_version, SLICE_ARG(head->authority), request->in.id);
}

static struct slice lower(struct arena *arena, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 'A' || text.ptr[i] > 'Z')
            continue;
        struct slice copy = arena_copy(arena, text);
        if (copy.ptr == NULL)
            return copy;
        char *out = (char *)(uintptr_t)copy.ptr; /* our own copy */
        for (; i < copy.len; i++)
            out[i] = slice_lower(out[i]);
        return copy;
    }
    return text;
}

/* The host in small letters, and its port. */
static bool find_host(struct request *request)
{
    request->in.host_port = request->in.head.port;
    request->in.host = lower(request->arena, request->in.head.host);
    return request->in.host.ptr != NULL;
}

/* Takes the target apart. False: it cannot be normalised (400). */
static bool find_target(struct request *request)
{
    struct request_in *in = &request->in;
    uri_split(in->head.path_query, &in->raw_path, &in->query);
    in->path = uri_normalize(request->arena, in->raw_path);
    if (in->path.ptr == NULL || !find_host(request))
        return false;
    request->shape.method = in->head.method;
    request->shape.query = in->query;
    return true;
}

static void route(struct request *request);

void request_start(struct request *request)
{
    request->state = REQUEST_REWRITE;
    forwarded_find_client(request);
    if (!find_target(request)) {
        request->in.head.is_keep_alive = false;
        request->body.state = BODY_BROKEN; /* nobody reads it */
        local_failure(request, 400);
        return;
    }
    if (!body_start(request)) {
        request->in.head.is_keep_alive = false;
        local_failure(request, 413);
        return;
    }
    const struct chain *global = &request->lease->snapshot->routing->global;
    if ((global->phases >> PLUGIN_REWRITE & 1) == 0) {
        route(request);
        return;
    }
    if (!phase_use_chain(request, global)) {
        local_failure(request, 500);
        return;
    }
    request_run(request);
}

/* "https" routes that are asked for over plain HTTP (reference/proxy-behaviour.md section 7). */
static bool is_https_needed(struct request *request)
{
    const struct route *matched = request->match.route->route;
    return (matched->protocols & (1u << PROTOCOL_HTTPS)) != 0 &&
           (matched->protocols & (1u << PROTOCOL_HTTP)) == 0 &&
           !slice_eq(forwarded_scheme(request), SLICE("https"));
}

static void redirect_to_https(struct request *request)
{
    int status = request->match.route->route->https_redirect_status;
    struct http_headers *early = &request->out.early;
    if (status == 426) {
        if (!http_headers_set(early, request->arena, SLICE("Upgrade"),
                              SLICE("TLS/1.2, HTTP/1.1"))) {
            local_failure(request, 500);
            return;
        }
        local_refuse(request, 426, SLICE("Please use HTTPS protocol"));
        return;
    }
    struct slice location =
        arena_printf(request->arena, "https://%.*s%.*s", SLICE_ARG(forwarded_host(request)),
                     SLICE_ARG(request->in.head.path_query));
    if (location.ptr == NULL ||
        !http_headers_set(early, request->arena, SLICE("Location"), location) ||
        !local_exit(request, status, SLICE(""))) {
        local_failure(request, 500);
        return;
    }
    local_send(request);
}

/* What the client's TLS hello asked for; absent without TLS. */
static struct slice server_name(const struct request *request)
{
    const SSL *ssl = request->client->conn.ssl;
    return ssl == NULL ? (struct slice){NULL, 0}
                       : slice_of(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
}

static bool match_route(struct request *request)
{
    const struct snapshot_routing *routing = request->lease->snapshot->routing;
    struct router_request asked = {
        .method = request->in.head.method,
        .host = request->in.host,
        .port = request->in.host_port,
        .listener_port = request->client->at->port,
        .path = request->in.path,
        .sni = server_name(request),
        .is_tls = request->in.is_tls,
        .headers = &request->in.head.headers,
    };
    if (!router_match(routing->router, &asked, request->arena, &request->match.router))
        return false;
    const struct snapshot_route *found = &routing->routes[request->match.router.index];
    request->match.route = found;
    request->match.service = found->service;
    if (found->route->is_path_stripped && request->match.router.has_path &&
        request->match.router.path_len > 1)
        request->match.prefix = slice_make(request->in.path.ptr, request->match.router.path_len);
    return true;
}

static void take_service(struct request *request)
{
    if (request->match.service == NULL)
        return;
    const struct service *service = request->match.service->service;
    request->shape.retries = service->retries;
    request->shape.connect_ms = service->connect_timeout_ms;
    request->shape.write_ms = service->write_timeout_ms;
    request->shape.read_ms = service->read_timeout_ms;
}

static void route(struct request *request)
{
    if (!match_route(request)) {
        local_refuse(request, 404, SLICE("no Route matched with those values"));
        return;
    }
    if (!phase_use_chain(request, request->match.route->chain)) {
        local_failure(request, 500);
        return;
    }
    request->state = REQUEST_ACCESS;
    take_service(request);
    if (is_https_needed(request)) {
        phase_select(request);
        redirect_to_https(request);
        return;
    }
    request_run(request);
}

static void access_done(struct request *request)
{
    if (request->match.service == NULL) {
        local_refuse(request, 503, SLICE("no Service found with those values"));
        return;
    }
    upstream_start(request);
}

void request_run(struct request *request)
{
    bool is_access = request->state == REQUEST_ACCESS;
    switch (phase_run(request, is_access ? PLUGIN_ACCESS : PLUGIN_REWRITE)) {
    case PHASE_DONE:
        if (is_access)
            access_done(request);
        else
            route(request);
        return;
    case PHASE_EXITED: local_send(request); return;
    case PHASE_SUSPENDED: return;
    }
}

/* The peer closed while its request is on the way: nobody waits for the answer (as nginx does). */
static bool is_client_gone(const struct request *request)
{
    const struct conn *conn = &request->client->conn;
    return conn->has_peer_closed && request->body.state != BODY_READING;
}

void request_on_client(struct request *request)
{
    switch (request->state) {
    case REQUEST_REWRITE:
    case REQUEST_ACCESS:
        if (request->body.is_wanted) {
            request->body.is_wanted = false;
            request_run(request);
        } else if (is_client_gone(request)) {
            request_abort(request, "the client closed its connection");
        }
        return;
    case REQUEST_RESOLVE:
    case REQUEST_CONNECT:
    case REQUEST_COLLECT:
        if (is_client_gone(request))
            request_abort(request, "the client closed its connection");
        return;
    case REQUEST_SEND:
        if (is_client_gone(request))
            request_abort(request, "the client closed its connection");
        else
            upstream_send_body(request);
        return;
    case REQUEST_RELAY:
        if (is_client_gone(request))
            request_abort(request, "the client closed its connection");
        else if (request->client->conn.can_write)
            relay_pump(request);
        return;
    case REQUEST_LOCAL:
        if (request->client->conn.can_write)
            relay_pump(request);
        return;
    case REQUEST_DONE: return;
    }
}

void request_abort(struct request *request, const char *why)
{
    request_log(request, LOG_LEVEL_INFO, "request ended early: %s", why);
    request->out.is_cut = true;
    if (!request->out.is_head_made)
        request->out.status = 499;
    upstream_drop(request);
    request_finish(request);
}

void request_finish(struct request *request)
{
    struct client *client = request->client;
    if (request->is_finishing)
        return;
    request->is_finishing = true;
    request->state = REQUEST_DONE;
    pdk_host_end_suspension(request);
    if (phase_has(request, PLUGIN_LOG))
        phase_run(request, PLUGIN_LOG);
    access_log_write(request);
    upstream_done(request);
    body_skip(request);
    body_clear(request);
    buffer_clear(&request->out.collected);
    buffer_clear(&request->out.filtered);
    buffer_clear(&request->out.changed);
    pdk_host_end_request(request);
    bool is_keep_alive =
        request->in.head.is_keep_alive && !request->out.is_cut && sender_is_empty(&client->out);
    if (request->out.is_cut)
        conn_close(&client->conn);
    worker_lease_release(request->lease);
    client_next(client, is_keep_alive);
}
