/* SPDX-License-Identifier: Apache-2.0 */
/* response.c -- decides what the client gets and how it is framed, and runs the header phase.
 *
 * Nothing is forwarded as it came: the head is written again from parsed fields, hop-by-hop fields
 * are dropped (RFC 9110 section 7.6.1), framing is ours (RFC 9112 section 6). */
#include "proxy/response.h"

#include <time.h>

#include "http/status.h"
#include "proxy/body.h"
#include "proxy/client.h"
#include "proxy/forwarded.h"
#include "proxy/local.h"
#include "proxy/phase.h"
#include "proxy/relay.h"
#include "proxy/upstream.h"

#define SERVER_TEXT "sluice/" SLUICE_VERSION

enum { OWN_FIELDS = 8 }; /* most that response_add_own() and the head add */

void response_date(int64_t unix_s, char out[30])
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    time_t at = (time_t)unix_s;
    gmtime_r(&at, &tm);
    strftime(out, 30, "___, %d ___ %Y %H:%M:%S GMT", &tm);
    memcpy(out, days + 3 * tm.tm_wday, 3); /* not strftime's: that follows the locale */
    memcpy(out + 8, months + 3 * tm.tm_mon, 3);
}

static struct slice number(struct arena *arena, int64_t value)
{
    char *text = arena_alloc(arena, 24);
    if (text == NULL)
        return (struct slice){NULL, 0};
    char *at = text + 24;
    uint64_t rest = value < 0 ? 0 : (uint64_t)value;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    return slice_make(at, (size_t)(text + 24 - at));
}

static bool add(struct request *request, struct slice name, struct slice value, enum http_name id)
{
    return value.ptr != NULL &&
           http_headers_add(&request->out.headers, request->arena, name, value, id);
}

/* Names as literals with their lengths: this runs for every response. */
bool response_add_own(struct request *request, bool is_local)
{
    const struct options *options = request->worker->options;
    struct request_out *out = &request->out;
    struct request_timing *timing = &request->timing;
    bool is_proxied = timing->access_end_ms != 0;
    int64_t now = loop_now_ms(request->worker->loop);
    bool is_done = true;
    if (options->headers.via && is_proxied) {
        struct slice via = http_headers_get_known(&out->headers, HTTP_NAME_VIA);
        struct slice ours = SLICE("1.1 " SERVER_TEXT);
        if (via.ptr != NULL) {
            via = arena_printf(request->arena, "%.*s, %.*s", SLICE_ARG(via), SLICE_ARG(ours));
            is_done &= via.ptr != NULL &&
                       http_headers_set(&out->headers, request->arena, SLICE("Via"), via);
        } else {
            is_done &= add(request, SLICE("Via"), ours, HTTP_NAME_VIA);
        }
    }
    if (options->headers.server && !http_headers_has(&out->headers, HTTP_NAME_SERVER))
        is_done &= add(request, SLICE("Server"), SLICE(SERVER_TEXT), HTTP_NAME_SERVER);
    if (is_local) {
        char *date = arena_alloc(request->arena, 30);
        if (date == NULL)
            return false;
        response_date(loop_wall_ms(request->worker->loop) / 1000, date);
        if (!http_headers_has(&out->headers, HTTP_NAME_DATE))
            is_done &= add(request, SLICE("Date"), slice_make(date, 29), HTTP_NAME_DATE);
    }
    if (is_proxied) {
        int64_t head = timing->head_ms != 0 ? timing->head_ms : now;
        if (options->headers.upstream_latency && timing->sent_ms != 0)
            is_done &= add(request, SLICE("X-Kong-Upstream-Latency"),
                           number(request->arena, head - timing->sent_ms), HTTP_NAME_OTHER);
        if (options->headers.proxy_latency)
            is_done &= add(request, SLICE("X-Kong-Proxy-Latency"),
                           number(request->arena, timing->access_end_ms - timing->start_ms),
                           HTTP_NAME_OTHER);
    } else if (options->headers.response_latency) {
        is_done &= add(request, SLICE("X-Kong-Response-Latency"),
                       number(request->arena, now - timing->start_ms), HTTP_NAME_OTHER);
    }
    if (options->headers.upstream_status && out->upstream_status != 0)
        is_done &= add(request, SLICE("X-Kong-Upstream-Status"),
                       number(request->arena, out->upstream_status), HTTP_NAME_OTHER);
    if (options->headers.request_id)
        is_done &= add(request, SLICE("X-Kong-Request-Id"), slice_make(request->in.id, 32),
                       HTTP_NAME_X_KONG_REQUEST_ID);
    return is_done;
}

/* Fields that belong to one connection; Content-Length is decided again. */
static bool is_hop_by_hop(enum http_name id)
{
    const uint64_t hop = 1ull << HTTP_NAME_CONNECTION | 1ull << HTTP_NAME_KEEP_ALIVE |
                         1ull << HTTP_NAME_PROXY_CONNECTION | 1ull << HTTP_NAME_TE |
                         1ull << HTTP_NAME_TRAILER | 1ull << HTTP_NAME_TRANSFER_ENCODING |
                         1ull << HTTP_NAME_UPGRADE;
    return id != HTTP_NAME_OTHER && (hop >> id & 1) != 0;
}

/* Copies what may go on: not the hop-by-hop fields, not those that the upstream's Connection names,
 * not those that a plugin has set already. */
static bool copy_fields(struct request *request)
{
    struct request_out *out = &request->out;
    const struct http_headers *from = &out->head.headers;
    bool has_connection = out->head.has_named_fields;
    uint32_t room = from->count + out->early.count + OWN_FIELDS;
    out->headers = (struct http_headers){
        .fields = arena_alloc(request->arena, room * sizeof(struct http_field)), .capacity = room};
    if (out->headers.fields == NULL)
        return false;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct http_field *field = &from->fields[i];
        if (is_hop_by_hop(field->id) ||
            (has_connection && field->id != HTTP_NAME_CONTENT_LENGTH &&
             forwarded_is_named(from, field->name)) ||
            (out->early.count > 0 &&
             http_headers_get_as(&out->early, field->name, field->id).ptr != NULL))
            continue;
        out->headers.fields[out->headers.count++] = *field;
        out->headers.known |= 1ull << field->id;
    }
    for (uint32_t i = 0; i < out->early.count; i++) {
        out->headers.fields[out->headers.count++] = out->early.fields[i];
        out->headers.known |= 1ull << out->early.fields[i].id;
    }
    return true;
}

static bool has_no_body(const struct request *request)
{
    int status = request->out.status;
    return status == 204 || status == 304 || (status >= 100 && status < 200) ||
           slice_eq(request->in.head.method, SLICE("HEAD"));
}

static char *put(char *at, struct slice text)
{
    memcpy(at, text.ptr, text.len);
    return at + text.len;
}

/* Decides framing towards the client after the header phase. */
static void choose_framing(struct request *request, bool is_keep_alive)
{
    struct request_out *out = &request->out;
    if (has_no_body(request)) {
        out->to = HTTP1_BODY_NONE;
    } else if (http_headers_has(&out->headers, HTTP_NAME_CONTENT_LENGTH) &&
               out->from == HTTP1_BODY_LENGTH) {
        out->to = HTTP1_BODY_LENGTH;
    } else {
        http_headers_remove_known(&out->headers, HTTP_NAME_CONTENT_LENGTH);
        out->to = request->in.head.minor_version == 0 ? HTTP1_BODY_UNTIL_CLOSE : HTTP1_BODY_CHUNKED;
        if (out->to == HTTP1_BODY_UNTIL_CLOSE)
            request->in.head.is_keep_alive = false;
    }
    /* What is left of an upload that nobody wants would have to be read before the next request. */
    body_skip(request);
    if (!is_keep_alive || request->body.state == BODY_READING || request->body.state == BODY_BROKEN)
        request->in.head.is_keep_alive = false;
}

/* Writes the head into the worker's scratch, behind what is left to be written of "100 Continue";
 * its length, or 0 if it does not fit. */
static size_t write_head(struct request *request)
{
    struct request_out *out = &request->out;
    char *at = request->worker->scratch;
    const char *end = at + WORKER_SCRATCH_BYTES - 256; /* room for the lines that are ours */
    struct slice reason = status_reason(out->status);
    at = put(at, request->client->out.prefix);
    at = put(at, SLICE("HTTP/1.1 "));
    at[0] = (char)('0' + out->status / 100);
    at[1] = (char)('0' + out->status / 10 % 10);
    at[2] = (char)('0' + out->status % 10);
    at[3] = ' ';
    at = put(at + 4, reason);
    at = put(at, SLICE("\r\n"));
    for (uint32_t i = 0; i < out->headers.count; i++) {
        const struct http_field *field = &out->headers.fields[i];
        if (field->name.len + field->value.len + 4 > (size_t)(end - at))
            return 0;
        at = put(at, field->name);
        *at++ = ':';
        *at++ = ' ';
        at = put(at, field->value);
        *at++ = '\r';
        *at++ = '\n';
    }
    if (out->to == HTTP1_BODY_CHUNKED)
        at = put(at, SLICE("Transfer-Encoding: chunked\r\n"));
    at = put(at, request->in.head.is_keep_alive ? SLICE("Connection: keep-alive\r\n\r\n")
                                                : SLICE("Connection: close\r\n\r\n"));
    return (size_t)(at - request->worker->scratch);
}

static bool is_keep_alive_allowed(const struct request *request)
{
    uint64_t most = request->worker->options->client.max_requests;
    return !request->worker->is_draining && (most == 0 || request->client->requests < most);
}

static bool send_head(struct request *request)
{
    choose_framing(request, is_keep_alive_allowed(request));
    size_t len = write_head(request);
    request->out.is_head_made = true;
    if (len == 0) {
        request_abort(request, "the response head is too large");
        return false;
    }
    request->client->out.prefix = slice_make(request->worker->scratch, len);
    return true;
}

/* Runs the header handlers. An exit among them replaces the response; false: it was sent. */
static bool run_header_phase(struct request *request)
{
    if (!phase_has(request, PLUGIN_HEADER))
        return true;
    bool was_local = request->state == REQUEST_LOCAL;
    if (phase_run(request, PLUGIN_HEADER) != PHASE_EXITED)
        return true;
    request->out.is_body_done = true;
    if (!was_local)
        upstream_drop(request);
    request->state = REQUEST_LOCAL;
    request->out.from = HTTP1_BODY_LENGTH;
    return false;
}

static void keep_upstream_fields(struct request *request)
{
    request->out.upstream = request->out.head.headers;
}

void response_begin(struct request *request)
{
    struct request_out *out = &request->out;
    out->upstream_status = out->head.status;
    if (!out->has_status)
        out->status = out->head.status;
    out->source = SOURCE_SERVICE;
    out->from = out->head.body;
    out->left = out->head.content_length;
    keep_upstream_fields(request);
    if (!copy_fields(request) || !response_add_own(request, false)) {
        upstream_drop(request);
        request_abort(request, "out of memory");
        return;
    }
    deadline_clear(&request->client->deadline); /* an upload's; nobody waits for it now */
    if (request->shape.is_buffering || phase_has(request, PLUGIN_RESPONSE)) {
        request->state = REQUEST_COLLECT;
        relay_collect(request);
        return;
    }
    request->state = REQUEST_RELAY;
    if (!run_header_phase(request)) {
        response_send_whole(request, out->local_body);
        return;
    }
    out->is_filtered = phase_has(request, PLUGIN_BODY);
    if (!send_head(request))
        return;
    response_pump(request);
}

void response_pump(struct request *request)
{
    if (request->state == REQUEST_COLLECT)
        relay_collect(request);
    else
        relay_pump(request);
}

/* Content-Length of a body that is known whole. */
static bool set_length(struct request *request, size_t bytes)
{
    struct slice text = number(request->arena, (int64_t)bytes);
    return text.ptr != NULL &&
           http_headers_set(&request->out.headers, request->arena, SLICE("Content-Length"), text);
}

void response_send_whole(struct request *request, struct slice body)
{
    struct request_out *out = &request->out;
    out->from = HTTP1_BODY_LENGTH;
    bool has_other_length = out->source == SOURCE_SERVICE &&
                            slice_eq(request->in.head.method, SLICE("HEAD")); /* of a GET */
    bool is_ok = has_other_length || set_length(request, body.len);
    if (!out->is_body_done && is_ok) {
        if (!run_header_phase(request))
            body = out->local_body;
    }
    out->is_body_done = true;
    if (is_ok && phase_has(request, PLUGIN_BODY) && !has_no_body(request))
        body = relay_filter_whole(request, body);
    bool has_length = out->status != 204 && out->status != 304 && out->status >= 200;
    if (!has_length)
        http_headers_remove_known(&out->headers, HTTP_NAME_CONTENT_LENGTH);
    else if (!slice_eq(request->in.head.method, SLICE("HEAD")) || out->source != SOURCE_SERVICE)
        is_ok = is_ok && set_length(request, body.len);
    if (!is_ok) {
        request_abort(request, "out of memory");
        return;
    }
    if (!send_head(request))
        return;
    if (out->to != HTTP1_BODY_NONE) {
        request->client->out.piece = body;
        out->body_bytes = body.len;
    }
    relay_pump(request);
}
