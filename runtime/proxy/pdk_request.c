/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_request.c -- kong.request: what the client sent. */
#include "http/uri.h"
#include "proxy/body.h"
#include "proxy/client.h"
#include "proxy/forwarded.h"
#include "proxy/pdk_host.h"

static const struct pdk_str absent = {NULL, 0};

static struct pdk_str get_scheme(struct pdk_request *req)
{
    return request_of(req)->in.is_tls ? PDK_STR("https") : PDK_STR("http");
}

static struct pdk_str get_host(struct pdk_request *req)
{
    return pdk_text(request_of(req)->in.host);
}

static int get_port(struct pdk_request *req)
{
    return request_of(req)->client->at->port;
}

static struct pdk_str get_forwarded_scheme(struct pdk_request *req)
{
    return pdk_text(forwarded_scheme(request_of(req)));
}

static struct pdk_str get_forwarded_host(struct pdk_request *req)
{
    return pdk_text(forwarded_host(request_of(req)));
}

static int get_forwarded_port(struct pdk_request *req)
{
    return forwarded_port(request_of(req));
}

static struct pdk_str get_forwarded_path(struct pdk_request *req)
{
    return pdk_text(forwarded_path(request_of(req)));
}

static struct pdk_str get_forwarded_prefix(struct pdk_request *req)
{
    return pdk_text(forwarded_prefix(request_of(req)));
}

static int get_http_version(struct pdk_request *req)
{
    return 10 + request_of(req)->in.head.minor_version;
}

static struct pdk_str get_method(struct pdk_request *req)
{
    return pdk_text(request_of(req)->shape.method);
}

static struct pdk_str get_path(struct pdk_request *req)
{
    return pdk_text(request_of(req)->in.path);
}

static struct pdk_str get_raw_path(struct pdk_request *req)
{
    return pdk_text(request_of(req)->in.raw_path);
}

static struct pdk_str get_path_with_query(struct pdk_request *req)
{
    struct request *request = request_of(req);
    struct slice query = request->shape.query;
    if (query.len == 0)
        return pdk_text(request->in.raw_path);
    return pdk_text(arena_printf(request->arena, "%.*s?%.*s", SLICE_ARG(request->in.raw_path),
                                 SLICE_ARG(query)));
}

static struct pdk_str get_raw_query(struct pdk_request *req)
{
    struct slice query = request_of(req)->shape.query;
    return query.ptr == NULL ? PDK_STR("") : pdk_text(query);
}

static struct pdk_str get_query_arg(struct pdk_request *req, struct pdk_str name, bool *is_bare)
{
    struct request *request = request_of(req);
    struct slice rest = request->shape.query, key, value;
    bool bare = false;
    while (uri_query_next(&rest, &key, &value, &bare)) {
        key = uri_decode(request->arena, key, true);
        if (key.ptr == NULL || !slice_eq(key, pdk_slice(name)))
            continue;
        if (is_bare != NULL)
            *is_bare = bare;
        return bare ? PDK_STR("") : pdk_text(uri_decode(request->arena, value, true));
    }
    return absent;
}

static bool query_at(struct pdk_request *req, size_t index, struct pdk_str *name,
                     struct pdk_str *value, bool *is_bare)
{
    struct request *request = request_of(req);
    struct slice rest = request->shape.query, key, text;
    bool bare = false;
    while (uri_query_next(&rest, &key, &text, &bare)) {
        if (index-- > 0)
            continue;
        *name = pdk_text(uri_decode(request->arena, key, true));
        *value = bare ? PDK_STR("") : pdk_text(uri_decode(request->arena, text, true));
        if (is_bare != NULL)
            *is_bare = bare;
        return name->ptr != NULL && value->ptr != NULL;
    }
    return false;
}

static struct pdk_str get_header(struct pdk_request *req, struct pdk_str name)
{
    return pdk_text(http_headers_get(&request_of(req)->in.head.headers, pdk_slice(name)));
}

static bool header_at(struct pdk_request *req, size_t index, struct pdk_str *name,
                      struct pdk_str *value)
{
    const struct http_headers *headers = &request_of(req)->in.head.headers;
    if (index >= headers->count)
        return false;
    *name = pdk_text(headers->fields[index].name);
    *value = pdk_text(headers->fields[index].value);
    return true;
}

static int64_t get_content_length(struct pdk_request *req)
{
    uint64_t length = 0;
    return body_length(request_of(req), &length) ? (int64_t)length : -1;
}

static enum pdk_result get_raw_body(struct pdk_request *req, struct pdk_str *body)
{
    struct request *request = request_of(req);
    struct slice whole = SLICE("");
    if (!pdk_host_check(request, PDK_BEFORE | PDK_PHASE_RESPONSE, "kong.request.get_raw_body"))
        return PDK_ERROR;
    switch (body_collect(request, &whole)) {
    case BODY_END:
    case BODY_PIECE: *body = pdk_text(whole); return PDK_OK;
    case BODY_WAIT: request->body.is_wanted = true; return PDK_SUSPEND;
    case BODY_FAILED: break;
    }
    return PDK_ERROR;
}

static int64_t get_start_time(struct pdk_request *req)
{
    return request_of(req)->timing.start_wall_ms;
}

static struct pdk_str get_uri_capture(struct pdk_request *req, size_t index)
{
    const struct router_match *match = &request_of(req)->match.router;
    return index < match->capture_count ? pdk_text(match->captures[index].value) : absent;
}

static struct pdk_str get_uri_capture_named(struct pdk_request *req, struct pdk_str name)
{
    const struct router_match *match = &request_of(req)->match.router;
    for (size_t i = 0; i < match->capture_count; i++)
        if (match->captures[i].name.ptr != NULL &&
            slice_eq(match->captures[i].name, pdk_slice(name)))
            return pdk_text(match->captures[i].value);
    return absent;
}

static struct pdk_str get_id(struct pdk_request *req)
{
    struct request *request = request_of(req);
    return (struct pdk_str){request->in.id, sizeof(request->in.id)};
}

const struct pdk_request_api pdk_request_table = {
    .size = sizeof(struct pdk_request_api),
    .get_scheme = get_scheme,
    .get_host = get_host,
    .get_port = get_port,
    .get_forwarded_scheme = get_forwarded_scheme,
    .get_forwarded_host = get_forwarded_host,
    .get_forwarded_port = get_forwarded_port,
    .get_forwarded_path = get_forwarded_path,
    .get_forwarded_prefix = get_forwarded_prefix,
    .get_http_version = get_http_version,
    .get_method = get_method,
    .get_path = get_path,
    .get_raw_path = get_raw_path,
    .get_path_with_query = get_path_with_query,
    .get_raw_query = get_raw_query,
    .get_query_arg = get_query_arg,
    .query_at = query_at,
    .get_header = get_header,
    .header_at = header_at,
    .get_content_length = get_content_length,
    .get_raw_body = get_raw_body,
    .get_start_time = get_start_time,
    .get_uri_capture = get_uri_capture,
    .get_uri_capture_named = get_uri_capture_named,
    .get_id = get_id,
};
