/* SPDX-License-Identifier: Apache-2.0 */
/* local.c -- answers that no upstream gave. */
#include "proxy/local.h"

#include "http/status.h"
#include "proxy/pdk_host.h"
#include "proxy/phase.h"
#include "proxy/response.h"
#include "proxy/upstream.h"

enum error_type { ERROR_JSON, ERROR_PLAIN, ERROR_HTML, ERROR_XML, ERROR_NONE };

static const struct slice type_names[] = {
    [ERROR_JSON] = {"application/json; charset=utf-8", 31},
    [ERROR_PLAIN] = {"text/plain; charset=utf-8", 25},
    [ERROR_HTML] = {"text/html; charset=utf-8", 24},
    [ERROR_XML] = {"application/xml; charset=utf-8", 30},
};

static const char *const type_formats[] = {
    [ERROR_JSON] = "{\n  \"message\":\"%.*s\",\n  \"request_id\":\"%.*s\"\n}",
    [ERROR_PLAIN] = "%.*s\nrequest_id: %.*s\n",
    [ERROR_HTML] = ("<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n"
                    "    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n"
                    "    <p>%.*s.</p>\n    <p>request_id: %.*s</p>\n  </body>\n</html>\n"),
    [ERROR_XML] = ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n"
                   "  <message>%.*s</message>\n  <requestid>%.*s</requestid>\n</error>\n"),
};

static enum error_type type_of_media(struct slice media)
{
    static const struct {
        struct slice name;
        enum error_type type;
    } known[] = {
        {{"application/json", 16}, ERROR_JSON}, {{"*/*", 3}, ERROR_JSON},
        {{"application/*", 13}, ERROR_JSON},    {{"text/plain", 10}, ERROR_PLAIN},
        {{"text/*", 6}, ERROR_PLAIN},           {{"text/html", 9}, ERROR_HTML},
        {{"application/xml", 15}, ERROR_XML},   {{"text/xml", 8}, ERROR_XML},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_eq_nocase(media, known[i].name))
            return known[i].type;
    return ERROR_NONE;
}

/* The q parameter of one element of Accept, in thousandths (RFC 9110 section 12.4.2). */
static unsigned quality_of(struct slice parameters)
{
    struct slice part;
    while (slice_split(&parameters, ';', &part)) {
        part = slice_trim(part);
        if (part.len < 3 || slice_lower(part.ptr[0]) != 'q' || part.ptr[1] != '=')
            continue;
        unsigned value = part.ptr[2] == '1' ? 1000 : 0;
        unsigned unit = 100;
        for (size_t i = 4; value == 0 && i < part.len && unit > 0; i++, unit /= 10) {
            if (part.ptr[i] < '0' || part.ptr[i] > '9')
                break;
            value += (unsigned)(part.ptr[i] - '0') * unit;
        }
        return value;
    }
    return 1000;
}

static enum error_type type_of_accept(struct slice accept)
{
    enum error_type best = ERROR_NONE;
    unsigned best_quality = 0;
    struct slice part;
    while (slice_split(&accept, ',', &part)) {
        part = slice_trim(part);
        size_t semicolon = slice_find(part, ';');
        enum error_type type = type_of_media(slice_trim(slice_make(part.ptr, semicolon)));
        unsigned quality =
            semicolon < part.len ? quality_of(slice_from(part, semicolon + 1)) : 1000;
        if (type != ERROR_NONE && quality > best_quality) {
            best = type;
            best_quality = quality;
        }
    }
    return best;
}

static enum error_type media_before_semicolon(struct slice media)
{
    return type_of_media(slice_trim(slice_make(media.ptr, slice_find(media, ';'))));
}

static enum error_type choose_type(struct request *request, bool is_engine)
{
    const struct http_headers *headers = &request->in.head.headers;
    struct slice accept = http_headers_get_known(headers, HTTP_NAME_ACCEPT);
    enum error_type type = accept.ptr == NULL ? ERROR_NONE : type_of_accept(accept);
    if (type != ERROR_NONE)
        return type;
    if (!is_engine)
        return ERROR_JSON;
    struct slice content = http_headers_get_known(headers, HTTP_NAME_CONTENT_TYPE);
    type = content.ptr == NULL ? ERROR_NONE : media_before_semicolon(content);
    if (type != ERROR_NONE)
        return type;
    type = media_before_semicolon(slice_of(request->worker->options->error_default_type));
    return type == ERROR_NONE ? ERROR_PLAIN : type;
}

static bool set_type(struct request *request, enum error_type type)
{
    return http_headers_set(&request->out.early, request->arena, SLICE("Content-Type"),
                            type_names[type]);
}

/* Quotes and controls in a message would break the JSON and XML forms; plugins' messages may have
 * them. */
static struct slice escape_message(struct request *request, struct slice message,
                                   enum error_type type)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_alloc(request->arena, message.len * 6 + 1);
    size_t n = 0;
    if (out == NULL || type == ERROR_PLAIN)
        return message;
    for (size_t i = 0; i < message.len; i++) {
        char c = message.ptr[i];
        const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
        if (type != ERROR_JSON && entity != NULL) {
            size_t len = strlen(entity);
            memcpy(out + n, entity, len);
            n += len;
        } else if (type == ERROR_JSON && (c == '"' || c == '\\')) {
            out[n++] = '\\';
            out[n++] = c;
        } else if (type == ERROR_JSON && (unsigned char)c < 0x20) {
            memcpy(out + n, "\\u00", 4);
            out[n + 4] = hex[(unsigned char)c >> 4];
            out[n + 5] = hex[c & 15];
            n += 6;
        } else {
            out[n++] = c;
        }
    }
    return slice_make(out, n);
}

static void set_error(struct request *request, int status, struct slice message, bool is_engine)
{
    enum error_type type = choose_type(request, is_engine);
    if (message.ptr == NULL)
        message = status_message(status);
    if (message.ptr == NULL)
        message = arena_printf(request->arena, "The upstream server responded with %d", status);
    struct slice escaped = escape_message(request, message, type);
    struct slice body = {NULL, 0};
    switch (type) { /* one literal format a call, so that the compiler checks them */
    case ERROR_JSON:
    case ERROR_PLAIN:
    case ERROR_HTML:
    case ERROR_XML:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        body = arena_printf(request->arena, type_formats[type], SLICE_ARG(escaped), 32,
                            request->in.id);
#pragma GCC diagnostic pop
        break;
    case ERROR_NONE: break;
    }
    request->out.status = status;
    request->out.local_body = body;
    if (!set_type(request, type))
        request->out.local_body = SLICE("");
}

bool local_exit(struct request *request, int status, struct slice body)
{
    struct slice copy = SLICE("");
    if (body.ptr != NULL) {
        copy = arena_copy(request->arena, body);
        if (copy.ptr == NULL)
            return false;
    }
    request->out.status = status;
    request->out.local_body = copy;
    request->out.source = SOURCE_EXIT;
    return true;
}

void local_error(struct request *request, int status, struct slice message)
{
    set_error(request, status, message, false);
    request->out.source = request->phase.running != 0 ? SOURCE_EXIT : SOURCE_ERROR;
}

/* A request that fails before it was routed is seen by global plugins. */
static bool prepare_phases(struct request *request)
{
    if (request->phase.chain != NULL && request->state != REQUEST_REWRITE)
        return true;
    if (!phase_use_chain(request, &request->lease->snapshot->routing->global))
        return false;
    phase_select(request);
    return true;
}

static void send_error(struct request *request, int status, struct slice message, bool is_engine)
{
    if (request->out.is_head_made) {
        request_abort(request, "the response had begun");
        return;
    }
    upstream_drop(request);
    set_error(request, status, message, is_engine);
    request->out.source = SOURCE_ERROR;
    if (!prepare_phases(request))
        request->phase.chain = NULL;
    local_send(request);
}

void local_failure(struct request *request, int status)
{
    struct slice message = {NULL, 0};
    if (status == 431)
        message = SLICE("Request header or cookie too large");
    send_error(request, status, message, true);
}

void local_refuse(struct request *request, int status, struct slice message)
{
    send_error(request, status, message, false);
}

void local_send(struct request *request)
{
    struct request_out *out = &request->out;
    pdk_host_end_suspension(request); /* the client's time may have run out during one */
    request->state = REQUEST_LOCAL;
    out->headers = out->early;
    out->from = HTTP1_BODY_LENGTH;
    if (out->source == SOURCE_NONE)
        out->source = SOURCE_ERROR;
    if (!response_add_own(request, true)) {
        request_abort(request, "out of memory");
        return;
    }
    response_send_whole(request, out->local_body);
}
