/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_service.c -- kong.service and kong.service.request: what is sent on, and where. Arguments are
 * checked here: nothing a plugin gives can break the framing of the request. */
#include "http/uri.h"
#include "proxy/pdk_host.h"

enum { MAX_RETRIES = 32767 };

static bool refuse(struct request *request, const char *function, const char *why)
{
    request_log(request, LOG_LEVEL_ERROR, "[%s] %s: %s", pdk_host_plugin_name(request), function,
                why);
    return false;
}

/* Copies an argument into the request's arena. */
static bool keep(struct request *request, struct pdk_str value, struct slice *out)
{
    *out = arena_copy(request->arena, pdk_slice(value));
    return out->ptr != NULL;
}

static bool set_scheme(struct pdk_request *req, struct pdk_str scheme)
{
    static const char function[] = "kong.service.request.set_scheme";
    struct request *request = request_of(req);
    enum protocol protocol;
    if (!pdk_host_check(request, PDK_BEFORE, function))
        return false;
    if (!protocol_parse(pdk_slice(scheme), &protocol) || protocol > PROTOCOL_GRPCS)
        return refuse(request, function, "expected http, https, grpc or grpcs");
    request->shape.scheme = protocol;
    request->shape.has_scheme = true;
    return true;
}

static bool set_path(struct pdk_request *req, struct pdk_str path)
{
    static const char function[] = "kong.service.request.set_path";
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, function))
        return false;
    if (path.len == 0 || path.ptr[0] != '/')
        return refuse(request, function, "path must start with /");
    struct slice copy;
    if (!keep(request, path, &copy))
        return false;
    for (size_t i = 0; i < copy.len; i++) /* a "?" here would begin the query */
        if (copy.ptr[i] == '?')
            return refuse(request, function, "path must not contain '?'");
    request->shape.path = copy;
    return true;
}

static bool set_raw_query(struct pdk_request *req, struct pdk_str query)
{
    static const char function[] = "kong.service.request.set_raw_query";
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, function))
        return false;
    for (size_t i = 0; i < query.len; i++)
        if ((unsigned char)query.ptr[i] <= 0x20 || (unsigned char)query.ptr[i] >= 0x7f ||
            query.ptr[i] == '#')
            return refuse(request, function, "query has a character that must be escaped");
    if (query.len == 0) {
        request->shape.query = (struct slice){NULL, 0};
        return true;
    }
    return keep(request, query, &request->shape.query);
}

static bool set_method(struct pdk_request *req, struct pdk_str method)
{
    static const char function[] = "kong.service.request.set_method";
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, function))
        return false;
    bool is_upper = http_is_token(pdk_slice(method));
    for (size_t i = 0; i < method.len; i++)
        is_upper &= method.ptr[i] < 'a' || method.ptr[i] > 'z';
    if (!is_upper || pdk_str_eq(method, PDK_STR("CONNECT")))
        return refuse(request, function, "invalid method");
    return keep(request, method, &request->shape.method);
}

/* Fields that frame the message are the gateway's own. */
static bool check_field(struct request *request, const char *function, struct pdk_str name,
                        struct pdk_str value, enum http_name id)
{
    if (!pdk_host_check(request, PDK_BEFORE, function))
        return false;
    if (!http_is_token(pdk_slice(name)))
        return refuse(request, function, "invalid header name");
    if (!http_is_field_value(pdk_slice(value)))
        return refuse(request, function, "invalid header value");
    if (id == HTTP_NAME_TRANSFER_ENCODING || id == HTTP_NAME_CONTENT_LENGTH ||
        id == HTTP_NAME_CONNECTION)
        return refuse(request, function, "the gateway sets this header itself");
    return true;
}

static bool set_header(struct pdk_request *req, struct pdk_str name, struct pdk_str value)
{
    struct request *request = request_of(req);
    enum http_name id = http_name_find(pdk_slice(name));
    struct slice field[2];
    if (!check_field(request, "kong.service.request.set_header", name, value, id) ||
        !pdk_host_keep_field(request, name, value, field))
        return false;
    if (id == HTTP_NAME_HOST) {
        request->shape.host = field[1];
        return true;
    }
    return http_headers_set_as(&request->in.head.headers, request->arena, field[0], field[1], id);
}

static bool add_header(struct pdk_request *req, struct pdk_str name, struct pdk_str value)
{
    struct request *request = request_of(req);
    enum http_name id = http_name_find(pdk_slice(name));
    struct slice field[2];
    if (!check_field(request, "kong.service.request.add_header", name, value, id) ||
        !pdk_host_keep_field(request, name, value, field))
        return false;
    if (id == HTTP_NAME_HOST) {
        request->shape.host = field[1];
        return true;
    }
    return http_headers_add(&request->in.head.headers, request->arena, field[0], field[1], id);
}

static bool clear_header(struct pdk_request *req, struct pdk_str name)
{
    struct request *request = request_of(req);
    if (!check_field(request, "kong.service.request.clear_header", name, PDK_STR(""),
                     http_name_find(pdk_slice(name))))
        return false;
    http_headers_remove(&request->in.head.headers, pdk_slice(name));
    return true;
}

static bool set_raw_body(struct pdk_request *req, struct pdk_str body)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, "kong.service.request.set_raw_body") ||
        !keep(request, body, &request->shape.body))
        return false;
    request->shape.has_body = true;
    return true;
}

static bool enable_buffering(struct pdk_request *req)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, "kong.service.request.enable_buffering"))
        return false;
    request->shape.is_buffering = true;
    return true;
}

const struct pdk_service_request_api pdk_service_request_table = {
    .size = sizeof(struct pdk_service_request_api),
    .set_scheme = set_scheme,
    .set_path = set_path,
    .set_raw_query = set_raw_query,
    .set_method = set_method,
    .set_header = set_header,
    .add_header = add_header,
    .clear_header = clear_header,
    .set_raw_body = set_raw_body,
    .enable_buffering = enable_buffering,
};

static bool set_target(struct pdk_request *req, struct pdk_str host, int port)
{
    static const char function[] = "kong.service.set_target";
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, function))
        return false;
    if (host.len == 0 || port < 0 || port > 65535 || !http_is_field_value(pdk_slice(host)))
        return refuse(request, function, "expected a host and a port from 0 to 65535");
    if (!keep(request, host, &request->shape.target_host))
        return false;
    request->shape.target_port = port;
    request->shape.host =
        arena_printf(request->arena, "%.*s:%d", SLICE_ARG(request->shape.target_host), port);
    return request->shape.host.ptr != NULL;
}

/* There are no upstream entities in this configuration, so no name can be found. */
static bool set_upstream(struct pdk_request *req, struct pdk_str name)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_PHASE_ACCESS, "kong.service.set_upstream"))
        return false;
    request_log(request, LOG_LEVEL_WARN, "[%s] could not find an Upstream named '%.*s'",
                pdk_host_plugin_name(request), (int)name.len, name.ptr);
    return false;
}

static bool set_retries(struct pdk_request *req, int retries)
{
    static const char function[] = "kong.service.set_retries";
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_PHASE_ACCESS, function))
        return false;
    if (retries < 0 || retries > MAX_RETRIES)
        return refuse(request, function, "expected a number from 0 to 32767");
    request->shape.retries = retries;
    return true;
}

static bool is_timeout(int64_t ms)
{
    return ms >= 1 && ms <= 2147483646;
}

static bool set_timeouts(struct pdk_request *req, int64_t connect_ms, int64_t write_ms,
                         int64_t read_ms)
{
    static const char function[] = "kong.service.set_timeouts";
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_PHASE_ACCESS, function))
        return false;
    if (!is_timeout(connect_ms) || !is_timeout(write_ms) || !is_timeout(read_ms))
        return refuse(request, function, "expected milliseconds from 1 to 2147483646");
    request->shape.connect_ms = connect_ms;
    request->shape.write_ms = write_ms;
    request->shape.read_ms = read_ms;
    return true;
}

const struct pdk_service_api pdk_service_table = {
    .size = sizeof(struct pdk_service_api),
    .set_target = set_target,
    .set_upstream = set_upstream,
    .set_retries = set_retries,
    .set_timeouts = set_timeouts,
};
