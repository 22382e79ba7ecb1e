/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_head.c -- writes the request line and fields again from what was parsed and decided; no
 * received byte of framing is forwarded. */
#include "proxy/upstream_head.h"

#include "http/uri.h"
#include "proxy/body.h"
#include "proxy/client.h"
#include "proxy/forwarded.h"
#include "proxy/request.h"

struct writer {
    char *at;
    const char *end;
    bool is_full;
};

static void put(struct writer *writer, struct slice text)
{
    if (text.len > (size_t)(writer->end - writer->at)) {
        writer->is_full = true;
        return;
    }
    memcpy(writer->at, text.ptr, text.len);
    writer->at += text.len;
}

static void put_field(struct writer *writer, struct slice name, struct slice value)
{
    if (name.len + value.len + 4 > (size_t)(writer->end - writer->at)) {
        writer->is_full = true;
        return;
    }
    char *at = writer->at;
    memcpy(at, name.ptr, name.len);
    at += name.len;
    *at++ = ':';
    *at++ = ' ';
    memcpy(at, value.ptr, value.len);
    at += value.len;
    *at++ = '\r';
    *at++ = '\n';
    writer->at = at;
}

static void put_number(struct writer *writer, struct slice name, uint64_t value)
{
    char text[24], *at = text + sizeof(text);
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put_field(writer, name, slice_make(at, (size_t)(text + sizeof(text) - at)));
}

bool upstream_head_uri(struct request *request)
{
    struct request_shape *shape = &request->shape;
    struct slice path = shape->path;
    if (path.ptr == NULL) {
        const struct service *service = request->match.service->service;
        const struct route *route = request->match.route->route;
        size_t match_len = request->match.router.has_path ? request->match.router.path_len : 0;
        path = uri_upstream_path(request->arena, service->path, request->in.path, match_len,
                                 route->is_path_stripped && request->match.router.has_path);
    }
    if (path.ptr != NULL)
        path = uri_escape_path(request->arena, path);
    if (path.ptr == NULL)
        return false;
    shape->uri = path;
    if (shape->query.ptr == NULL)
        return true;
    char *joined = arena_alloc(request->arena, path.len + 1 + shape->query.len);
    if (joined == NULL)
        return false;
    memcpy(joined, path.ptr, path.len);
    joined[path.len] = '?';
    memcpy(joined + path.len + 1, shape->query.ptr, shape->query.len);
    shape->uri = slice_make(joined, path.len + 1 + shape->query.len);
    return true;
}

struct slice upstream_head_host(const struct request *request)
{
    if (request->shape.host.ptr != NULL)
        return request->shape.host;
    const struct snapshot_route *route = request->match.route;
    if (route != NULL && route->route->is_host_preserved && request->in.head.authority.len > 0)
        return request->in.head.authority;
    return request->match.service->host_header;
}

/* Fields of the connection, and those that are written anew below. */
static bool is_replaced(enum http_name id)
{
    const uint64_t replaced =
        1ull << HTTP_NAME_HOST | 1ull << HTTP_NAME_CONNECTION | 1ull << HTTP_NAME_KEEP_ALIVE |
        1ull << HTTP_NAME_PROXY_CONNECTION | 1ull << HTTP_NAME_PROXY | 1ull << HTTP_NAME_TE |
        1ull << HTTP_NAME_UPGRADE | 1ull << HTTP_NAME_TRANSFER_ENCODING |
        1ull << HTTP_NAME_CONTENT_LENGTH | 1ull << HTTP_NAME_EXPECT | 1ull << HTTP_NAME_TRAILER |
        1ull << HTTP_NAME_VIA | 1ull << HTTP_NAME_X_REAL_IP | 1ull << HTTP_NAME_X_FORWARDED_FOR |
        1ull << HTTP_NAME_X_FORWARDED_PROTO | 1ull << HTTP_NAME_X_FORWARDED_HOST |
        1ull << HTTP_NAME_X_FORWARDED_PORT | 1ull << HTTP_NAME_X_FORWARDED_PATH |
        1ull << HTTP_NAME_X_FORWARDED_PREFIX;
    return id != HTTP_NAME_OTHER && (replaced >> id & 1) != 0;
}

static void put_client_fields(struct writer *writer, const struct request *request)
{
    const struct http_headers *headers = &request->in.head.headers;
    bool has_connection = request->in.head.has_named_fields;
    bool hides_request_id = request->worker->options->headers.upstream_request_id;
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct http_field *field = &headers->fields[i];
        if (is_replaced(field->id) ||
            (hides_request_id && field->id == HTTP_NAME_X_KONG_REQUEST_ID) ||
            (has_connection && forwarded_is_named(headers, field->name)))
            continue;
        put_field(writer, field->name, field->value);
    }
}

/* A list field: what came, then ours. Repeated lines are joined. */
static void put_appended(struct writer *writer, const struct http_headers *headers,
                         enum http_name id, struct slice name, struct slice value)
{
    put(writer, name);
    put(writer, SLICE(": "));
    for (uint32_t i = 0; http_headers_has(headers, id) && i < headers->count; i++) {
        if (headers->fields[i].id != id || headers->fields[i].value.len == 0)
            continue;
        put(writer, headers->fields[i].value);
        put(writer, SLICE(", "));
    }
    put(writer, value);
    put(writer, SLICE("\r\n"));
}

static void put_forwarded(struct writer *writer, struct request *request)
{
    const struct http_headers *headers = &request->in.head.headers;
    struct slice prefix = forwarded_prefix(request);
    put_field(writer, SLICE("X-Real-IP"), request->in.client_ip);
    if (http_headers_has(headers, HTTP_NAME_X_FORWARDED_FOR))
        put_appended(writer, headers, HTTP_NAME_X_FORWARDED_FOR, SLICE("X-Forwarded-For"),
                     slice_make(request->client->ip, request->client->ip_len));
    else
        put_field(writer, SLICE("X-Forwarded-For"), request->in.client_ip);
    put_field(writer, SLICE("X-Forwarded-Proto"), forwarded_scheme(request));
    put_field(writer, SLICE("X-Forwarded-Host"), forwarded_host(request));
    put_number(writer, SLICE("X-Forwarded-Port"), (uint64_t)forwarded_port(request));
    put_field(writer, SLICE("X-Forwarded-Path"), forwarded_path(request));
    if (prefix.len > 0)
        put_field(writer, SLICE("X-Forwarded-Prefix"), prefix);
}

static void put_framing(struct writer *writer, const struct request *request)
{
    uint64_t length = 0;
    if (!body_length(request, &length))
        put(writer, SLICE("Transfer-Encoding: chunked\r\n"));
    else if (length > 0 || http_headers_has(&request->in.head.headers, HTTP_NAME_CONTENT_LENGTH))
        put_number(writer, SLICE("Content-Length"), length);
}

size_t upstream_head_write(struct request *request)
{
    struct writer writer = {.at = request->worker->scratch,
                            .end = request->worker->scratch + WORKER_SCRATCH_BYTES - 64};
    const struct http_headers *headers = &request->in.head.headers;
    put(&writer, request->shape.method);
    put(&writer, SLICE(" "));
    put(&writer, request->shape.uri);
    put(&writer, SLICE(" HTTP/1.1\r\n"));
    put_field(&writer, SLICE("Host"), upstream_head_host(request));
    put_client_fields(&writer, request);
    put_forwarded(&writer, request);
    put_appended(&writer, headers, HTTP_NAME_VIA, SLICE("Via"),
                 request->in.head.minor_version == 0 ? SLICE("1.0 sluice/" SLUICE_VERSION)
                                                     : SLICE("1.1 sluice/" SLUICE_VERSION));
    if (request->worker->options->headers.upstream_request_id)
        put_field(&writer, SLICE("X-Kong-Request-Id"), slice_make(request->in.id, 32));
    struct slice te = http_headers_get_known(headers, HTTP_NAME_TE);
    if (te.ptr != NULL && http_list_has(te, SLICE("trailers")))
        put(&writer, SLICE("TE: trailers\r\n"));
    put_framing(&writer, request);
    put(&writer, SLICE("Connection: keep-alive\r\n\r\n"));
    return writer.is_full ? 0 : (size_t)(writer.at - request->worker->scratch);
}
