/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c -- evhttp servers, one for the plain and one for the TLS addresses.
 *
 * evhttp is lenient about framing: it does not read a body of GET, HEAD, DELETE or OPTIONS, and it
 * takes one of several lengths. After such a request the rest of the connection cannot be trusted,
 * so it is closed behind the answer. */
#include "admin/transport.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "admin/call.h"
#include "config/options.h"
#include "http/status.h"
#include "net/listener.h"
#include "net/loop.h"

struct transport {
    struct transport_config config;
    struct evhttp *plain, *secure; /* NULL until an address needs it */
};

/* --------------------------------------------------------------------------------------- request
 */

static const struct {
    enum evhttp_cmd_type command;
    enum call_method method;
    const char *name;
} methods[] = {
    {EVHTTP_REQ_GET, CALL_GET, "GET"},
    {EVHTTP_REQ_HEAD, CALL_GET, "HEAD"},
    {EVHTTP_REQ_POST, CALL_POST, "POST"},
    {EVHTTP_REQ_PUT, CALL_PUT, "PUT"},
    {EVHTTP_REQ_PATCH, CALL_PATCH, "PATCH"},
    {EVHTTP_REQ_DELETE, CALL_DELETE, "DELETE"},
    {EVHTTP_REQ_OPTIONS, CALL_OPTIONS, "OPTIONS"},
    {EVHTTP_REQ_TRACE, CALL_OTHER, "TRACE"},
    {EVHTTP_REQ_CONNECT, CALL_OTHER, "CONNECT"},
};

static size_t method_index(struct evhttp_request *request)
{
    size_t i = 0;
    while (i + 1 < sizeof(methods) / sizeof(methods[0]) &&
           methods[i].command != evhttp_request_get_command(request))
        i++;
    return i;
}

/* Path and query of the target, which may be in absolute form (RFC 9112 section 3.2.2). */
static void set_target(struct call *call, struct slice target)
{
    if (target.len > 0 && target.ptr[0] != '/') {
        const char *scheme_end = memmem(target.ptr, target.len, "://", 3);
        if (scheme_end != NULL)
            target = slice_from(target, (size_t)(scheme_end - target.ptr) + 3);
        target = slice_from(target, slice_find(target, '/'));
    }
    size_t mark = slice_find(target, '?');
    call->path = mark == 0 ? SLICE("/") : slice_make(target.ptr, mark);
    call->raw_query = slice_from(target, mark + 1);
}

/* What matters of the head. */
struct framing {
    unsigned lengths, codings;
    bool has_body; /* it announces one */
};

static struct framing read_head(struct call *call, struct evhttp_request *request)
{
    struct framing framing = {0};
    call->headers_in = evhttp_request_get_input_headers(request);
    call->headers_out = evhttp_request_get_output_headers(request);
    /* Without <sys/queue.h>, whose LIST_ENTRY is not that of base/list.h. */
    for (const struct evkeyval *field = call->headers_in->tqh_first; field != NULL;
         field = field->next.tqe_next) {
        struct slice name = slice_of(field->key);
        if (slice_eq_nocase(name, SLICE("content-type"))) {
            if (call->content_type_count++ == 0)
                call->content_type = slice_trim(slice_of(field->value));
        } else if (slice_eq_nocase(name, SLICE("content-length"))) {
            framing.lengths++;
            framing.has_body = framing.has_body || strcmp(field->value, "0") != 0;
        } else if (slice_eq_nocase(name, SLICE("transfer-encoding"))) {
            framing.codings++;
            framing.has_body = true;
        }
    }
    return framing;
}

/* ---------------------------------------------------------------------------------------- answer
 */

/* `text` with quotes, backslashes and control characters as \xNN, cut at the size of `out`. */
static void escape(char *out, size_t size, const char *text)
{
    size_t used = 0;
    for (; text != NULL && *text != '\0' && used + 5 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            used += (size_t)snprintf(out + used, size - used, "\\x%02X", c);
        else
            out[used++] = (char)c;
    }
    if (used == 0)
        out[used++] = '-';
    out[used] = '\0';
}

/* One line in the combined format. */
static void log_access(const struct transport *transport, struct evhttp_request *request,
                       const struct call *call, size_t bytes)
{
    if (transport->config.access_log == NULL || !log_is_on(transport->config.access_log))
        return;
    char when[64], target[2048], referer[512], agent[512], line[4096];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm parts;
    localtime_r(&now, &parts);
    strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S %z", &parts);
    escape(target, sizeof(target), evhttp_request_get_uri(request));
    escape(referer, sizeof(referer), evhttp_find_header(call->headers_in, "Referer"));
    escape(agent, sizeof(agent), evhttp_find_header(call->headers_in, "User-Agent"));
    char *peer = NULL;
    ev_uint16_t port = 0;
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    if (connection != NULL)
        evhttp_connection_get_peer(connection, &peer, &port);
    int length =
        snprintf(line, sizeof(line), "%s - - [%s] \"%s %s HTTP/1.1\" %d %zu \"%s\" \"%s\"\n",
                 peer == NULL || *peer == '\0' ? "unix:" : peer, when,
                 methods[method_index(request)].name, target, call->status, bytes, referer, agent);
    log_raw(transport->config.access_log, slice_make(line, (size_t)length));
}

static void free_text(const void *text, size_t length, void *unused)
{
    (void)length;
    (void)unused;
    free((void *)(uintptr_t)text);
}

/* The body's bytes; NULL: none. *type is its media type. Ownership moves to the caller. */
static char *take_body(struct call *call, const char **type)
{
    char *body = NULL;
    if (call->text != NULL) {
        body = call->text;
        call->text = NULL;
        *type = call->text_type;
    } else if (call->body != NULL) {
        body = json_dumps(call->body, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(14));
        *type = "application/json; charset=utf-8";
        if (body == NULL)
            call->status = 500;
    }
    return body;
}

static void add_headers(const struct transport *transport, struct call *call, int64_t started_ms)
{
    char text[32];
    if (transport->config.has_server)
        evhttp_add_header(call->headers_out, "Server", "sluice/" SLUICE_VERSION);
    if (transport->config.has_latency) {
        snprintf(text, sizeof(text), "%lld", (long long)(clock_now_ms() - started_ms));
        evhttp_add_header(call->headers_out, "X-Kong-Admin-Latency", text);
    }
}

static void answer(const struct transport *transport, struct evhttp_request *request,
                   struct call *call)
{
    const char *type = NULL;
    char *body = take_body(call, &type);
    size_t length = body == NULL ? 0 : strlen(body);
    bool is_head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
    char text[32];
    if (type != NULL)
        evhttp_add_header(call->headers_out, "Content-Type", type);
    if (call->status != 204 && call->status != 304) {
        snprintf(text, sizeof(text), "%zu", length);
        evhttp_add_header(call->headers_out, "Content-Length", text);
    }
    log_access(transport, request, call, is_head ? 0 : length);
    struct evbuffer *out = is_head || body == NULL ? NULL : evbuffer_new();
    if (out == NULL || evbuffer_add_reference(out, body, length, free_text, NULL) != 0)
        free(body);
    struct slice reason = status_reason(call->status);
    char phrase[64];
    snprintf(phrase, sizeof(phrase), "%.*s", SLICE_ARG(reason));
    evhttp_send_reply(request, call->status, phrase, out);
    if (out != NULL)
        evbuffer_free(out);
}

static void on_request(struct evhttp_request *request, void *context)
{
    const struct transport *transport = context;
    int64_t started_ms = clock_now_ms();
    struct call call = {.method = methods[method_index(request)].method};
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    struct framing framing = read_head(&call, request);
    bool is_body_read =
        call.method == CALL_POST || call.method == CALL_PUT || call.method == CALL_PATCH;
    bool is_ambiguous =
        framing.lengths > 1 || framing.codings > 1 || (framing.lengths > 0 && framing.codings > 0);
    if (is_ambiguous || (framing.has_body && !is_body_read))
        evhttp_add_header(call.headers_out, "Connection", "close");
    set_target(&call, slice_of(evhttp_request_get_uri(request)));
    call.raw_body.len = evbuffer_get_length(input);
    call.raw_body.ptr = (const char *)evbuffer_pullup(input, -1);
    if (call.raw_body.len > 0 && call.raw_body.ptr == NULL)
        call_unexpected(&call); /* no memory to put it in one piece */
    else if (is_ambiguous)
        call_message(&call, 400, "Bad request");
    else
        transport->config.handle(transport->config.context, &call);
    add_headers(transport, &call, started_ms);
    answer(transport, request, &call);
    call_clear(&call);
}

/* --------------------------------------------------------------------------------------- servers
 */

static struct bufferevent *on_connection(struct event_base *base, void *context)
{
    SSL *session = SSL_new(context);
    if (session == NULL)
        return NULL;
    struct bufferevent *event = bufferevent_openssl_socket_new(
        base, -1, session, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (event == NULL)
        SSL_free(session);
    else
        bufferevent_openssl_set_allow_dirty_shutdown(event, 1);
    return event;
}

static struct evhttp *open_server(struct transport *transport, struct event_base *base, bool is_ssl)
{
    struct evhttp **server = is_ssl ? &transport->secure : &transport->plain;
    if (*server != NULL)
        return *server;
    *server = evhttp_new(base);
    if (*server == NULL)
        return NULL;
    ev_uint32_t allowed = 0;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        allowed |= methods[i].command;
    evhttp_set_allowed_methods(*server, (ev_uint16_t)allowed);
    evhttp_set_timeout(*server, TRANSPORT_TIMEOUT_S);
    evhttp_set_max_headers_size(*server, TRANSPORT_MAX_HEAD_BYTES);
    uint64_t limit = transport->config.max_body_bytes;
    if (limit > 0)
        evhttp_set_max_body_size(*server, limit > INT64_MAX ? INT64_MAX : (ev_ssize_t)limit);
    /* A body that is too long is answered with 413 at once. EVHTTP_SERVER_LINGERING_CLOSE would be
     * kinder to senders that do not listen meanwhile, but keeps all that it reads in memory. */
    evhttp_set_gencb(*server, on_request, transport);
    if (is_ssl)
        evhttp_set_bevcb(*server, on_connection, transport->config.tls);
    return *server;
}

/* Accepts on `fd`, which stays open when the listener goes. */
static bool listen_on(struct transport *transport, struct event_base *base,
                      const struct listen_address *address, int fd)
{
    struct evhttp *server = open_server(transport, base, address->is_ssl);
    int flags = fcntl(fd, F_GETFL);
    if (server == NULL || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return false;
    struct evconnlistener *listener =
        evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (listener == NULL)
        return false;
    if (evhttp_bind_listener(server, listener) == NULL) {
        evconnlistener_free(listener);
        return false;
    }
    return true;
}

struct transport *transport_create(struct loop *loop, const struct transport_config *config,
                                   char **error)
{
    struct transport *transport = calloc(1, sizeof(*transport));
    const char *where = "admin", *why = "out of memory";
    if (transport == NULL)
        goto fail;
    transport->config = *config;
    for (size_t i = 0; i < config->addresses->count; i++) {
        const struct listen_address *address = &config->addresses->items[i];
        where = address->text;
        if (address->is_ssl && config->tls == NULL) {
            why = "ssl is asked for, but there is no certificate";
            goto fail;
        }
        if (!listen_on(transport, loop_base(loop), address, config->sockets[i])) {
            why = "cannot accept on its socket";
            goto fail;
        }
    }
    return transport;
fail:
    transport_destroy(transport);
    if (asprintf(error, "%s: %s", where, why) < 0)
        *error = NULL;
    return NULL;
}

void transport_destroy(struct transport *transport)
{
    if (transport == NULL)
        return;
    if (transport->plain != NULL)
        evhttp_free(transport->plain);
    if (transport->secure != NULL)
        evhttp_free(transport->secure);
    free(transport);
}
