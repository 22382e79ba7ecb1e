/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_response.c -- kong.response and kong.service.response. Before the upstream has answered,
 * fields go to out.early; from the header phase on, to the response itself. */
#include "http/status.h"
#include "proxy/local.h"
#include "proxy/pdk_host.h"

static const struct pdk_str absent = {NULL, 0};

/* --------------------------------------------------------------------------- service.response */

static int service_get_status(struct pdk_request *req)
{
    struct request *request = request_of(req);
    return pdk_host_check(request, PDK_ANSWERED, "kong.service.response.get_status")
               ? request->out.upstream_status
               : 0;
}

static struct pdk_str service_get_header(struct pdk_request *req, struct pdk_str name)
{
    struct request *request = request_of(req);
    return pdk_host_check(request, PDK_ANSWERED, "kong.service.response.get_header")
               ? pdk_text(http_headers_get(&request->out.upstream, pdk_slice(name)))
               : absent;
}

static bool at_index(const struct http_headers *headers, size_t index, struct pdk_str *name,
                     struct pdk_str *value)
{
    if (index >= headers->count)
        return false;
    *name = pdk_text(headers->fields[index].name);
    *value = pdk_text(headers->fields[index].value);
    return true;
}

static bool service_header_at(struct pdk_request *req, size_t index, struct pdk_str *name,
                              struct pdk_str *value)
{
    struct request *request = request_of(req);
    return pdk_host_check(request, PDK_ANSWERED, "kong.service.response.get_headers") &&
           at_index(&request->out.upstream, index, name, value);
}

static enum pdk_result service_get_raw_body(struct pdk_request *req, struct pdk_str *body)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_ANSWERED, "kong.service.response.get_raw_body"))
        return PDK_ERROR;
    if (!request->shape.is_buffering &&
        (request->phase.chain->phases >> PLUGIN_RESPONSE & 1) == 0) {
        request_log(request, LOG_LEVEL_ERROR,
                    "[%s] service body is only available with buffered proxying (see "
                    "kong.service.request.enable_buffering)",
                    pdk_host_plugin_name(request));
        return PDK_ERROR;
    }
    *body = pdk_text(buffer_slice(&request->out.collected));
    return PDK_OK;
}

const struct pdk_service_response_api pdk_service_response_table = {
    .size = sizeof(struct pdk_service_response_api),
    .get_status = service_get_status,
    .get_header = service_get_header,
    .header_at = service_header_at,
    .get_raw_body = service_get_raw_body,
};

/* ----------------------------------------------------------------------------------- response */

/* Where fields are kept at this point of the request. */
static struct http_headers *fields_of(struct request *request)
{
    return (request->phase.running & PDK_BEFORE) != 0 ? &request->out.early : &request->out.headers;
}

static int get_status(struct pdk_request *req)
{
    return request_of(req)->out.status;
}

static struct pdk_str get_header(struct pdk_request *req, struct pdk_str name)
{
    return pdk_text(http_headers_get(fields_of(request_of(req)), pdk_slice(name)));
}

static bool header_at(struct pdk_request *req, size_t index, struct pdk_str *name,
                      struct pdk_str *value)
{
    return at_index(fields_of(request_of(req)), index, name, value);
}

static struct pdk_str get_source(struct pdk_request *req)
{
    switch (request_of(req)->out.source) {
    case SOURCE_SERVICE: return PDK_STR("service");
    case SOURCE_EXIT: return PDK_STR("exit");
    case SOURCE_NONE:
    case SOURCE_ERROR: break;
    }
    return PDK_STR("error");
}

static bool set_status(struct pdk_request *req, int status)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_SETTING, "kong.response.set_status"))
        return false;
    if (status < 100 || status > 599) {
        request_log(request, LOG_LEVEL_ERROR,
                    "[%s] kong.response.set_status: code must be a number between 100 and 599",
                    pdk_host_plugin_name(request));
        return false;
    }
    request->out.status = status;
    request->out.has_status = true;
    return true;
}

/* The framing of the response is the gateway's; Content-Length may only be cleared. */
static bool check_field(struct request *request, const char *function, struct pdk_str name,
                        struct pdk_str value, enum http_name id)
{
    if (!pdk_host_check(request, PDK_SETTING, function))
        return false;
    const char *why = !http_is_token(pdk_slice(name))          ? "invalid header name"
                      : !http_is_field_value(pdk_slice(value)) ? "invalid header value"
                      : id == HTTP_NAME_TRANSFER_ENCODING || id == HTTP_NAME_CONNECTION ||
                              id == HTTP_NAME_CONTENT_LENGTH
                          ? "the gateway sets this header itself"
                          : NULL;
    if (why != NULL)
        request_log(request, LOG_LEVEL_WARN, "[%s] %s: %s", pdk_host_plugin_name(request), function,
                    why);
    return why == NULL;
}

static bool keep(struct request *request, struct pdk_str value, struct slice *out)
{
    *out = arena_copy(request->arena, pdk_slice(value));
    return out->ptr != NULL;
}

static bool set_header(struct pdk_request *req, struct pdk_str name, struct pdk_str value)
{
    struct request *request = request_of(req);
    enum http_name id = http_name_find(pdk_slice(name));
    struct slice field[2];
    return check_field(request, "kong.response.set_header", name, value, id) &&
           pdk_host_keep_field(request, name, value, field) &&
           http_headers_set_as(fields_of(request), request->arena, field[0], field[1], id);
}

static bool add_header(struct pdk_request *req, struct pdk_str name, struct pdk_str value)
{
    struct request *request = request_of(req);
    enum http_name id = http_name_find(pdk_slice(name));
    struct slice field[2];
    return check_field(request, "kong.response.add_header", name, value, id) &&
           pdk_host_keep_field(request, name, value, field) &&
           http_headers_add(fields_of(request), request->arena, field[0], field[1], id);
}

static bool clear_header(struct pdk_request *req, struct pdk_str name)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_SETTING, "kong.response.clear_header"))
        return false;
    http_headers_remove(fields_of(request), pdk_slice(name));
    return true;
}

static bool is_status(struct request *request, const char *function, int status)
{
    if (status >= 100 && status <= 599)
        return true;
    request_log(request, LOG_LEVEL_ERROR, "[%s] %s: code must be a number between 100 and 599",
                pdk_host_plugin_name(request), function);
    return false;
}

/* An exit in the header phase replaces what the upstream answered. */
static void replace_upstream(struct request *request)
{
    if ((request->phase.running & PDK_PHASE_HEADER) != 0)
        http_headers_remove_known(&request->out.headers, HTTP_NAME_CONTENT_LENGTH);
}

static enum pdk_result response_exit(struct pdk_request *req, int status, struct pdk_str body)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_SETTING, "kong.response.exit") ||
        !is_status(request, "kong.response.exit", status) ||
        !local_exit(request, status, pdk_slice(body)))
        return PDK_ERROR;
    replace_upstream(request);
    return PDK_EXIT;
}

static enum pdk_result response_error(struct pdk_request *req, int status, struct pdk_str message)
{
    struct request *request = request_of(req);
    struct slice kept = {NULL, 0};
    if (!pdk_host_check(request, PDK_SETTING, "kong.response.error") ||
        !is_status(request, "kong.response.error", status) ||
        (message.ptr != NULL && !keep(request, message, &kept)))
        return PDK_ERROR;
    local_error(request, status, kept);
    replace_upstream(request);
    return PDK_EXIT;
}

static struct pdk_str get_chunk(struct pdk_request *req, bool *is_last)
{
    struct request *request = request_of(req);
    *is_last = true;
    if (!pdk_host_check(request, PDK_PHASE_BODY, "ngx.arg"))
        return absent;
    *is_last = request->out.is_last_chunk;
    return pdk_text(request->out.chunk);
}

static bool set_chunk(struct pdk_request *req, struct pdk_str chunk)
{
    struct request *request = request_of(req);
    struct request_out *out = &request->out;
    struct buffer *changed = &out->changed; /* not the arena: a long body has many chunks */
    if (!pdk_host_check(request, PDK_PHASE_BODY, "ngx.arg"))
        return false;
    if (chunk.len == 0) {
        out->chunk = SLICE("");
        return true;
    }
    bool is_part_of_it = changed->data != NULL && chunk.ptr >= changed->data &&
                         chunk.ptr < changed->data + changed->capacity;
    if (is_part_of_it) { /* of what another handler has set: it stays where it is */
        out->chunk = pdk_slice(chunk);
        return true;
    }
    buffer_consume(changed, buffer_len(changed));
    if (!buffer_append(changed, pdk_slice(chunk), SIZE_MAX))
        return false;
    out->chunk = buffer_slice(changed);
    return true;
}

static struct pdk_str get_raw_body(struct pdk_request *req)
{
    struct request *request = request_of(req);
    struct request_out *out = &request->out;
    if (!pdk_host_check(request, PDK_PHASE_BODY, "kong.response.get_raw_body"))
        return absent;
    if (request->state == REQUEST_LOCAL)
        return pdk_text(out->chunk); /* it is there in one piece */
    if (!buffer_append(&out->collected, out->chunk, request->worker->options->body_buffer_bytes)) {
        request_log(request, LOG_LEVEL_ERROR,
                    "[%s] the response body is larger than the %zu bytes that may be buffered",
                    pdk_host_plugin_name(request), request->worker->options->body_buffer_bytes);
        return absent;
    }
    if (!out->is_last_chunk) {
        out->chunk = SLICE("");
        return absent;
    }
    /* The next plugin of this phase sees the whole as the chunk at hand. */
    out->chunk = arena_copy(request->arena, buffer_slice(&out->collected));
    buffer_consume(&out->collected, buffer_len(&out->collected));
    return pdk_text(out->chunk);
}

static bool set_raw_body(struct pdk_request *req, struct pdk_str body)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_PHASE_BODY, "kong.response.set_raw_body") ||
        !keep(request, body, &request->out.chunk))
        return false;
    request->out.is_last_chunk = true;
    request->out.is_replaced = true;
    return true;
}

const struct pdk_response_api pdk_response_table = {
    .size = sizeof(struct pdk_response_api),
    .get_status = get_status,
    .get_header = get_header,
    .header_at = header_at,
    .get_source = get_source,
    .set_status = set_status,
    .set_header = set_header,
    .add_header = add_header,
    .clear_header = clear_header,
    .exit = response_exit,
    .error = response_error,
    .get_chunk = get_chunk,
    .set_chunk = set_chunk,
    .get_raw_body = get_raw_body,
    .set_raw_body = set_raw_body,
};
