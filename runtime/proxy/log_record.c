/* SPDX-License-Identifier: Apache-2.0 */
/* log_record.c -- writes the record straight from the request. Only when plugins set values of
 * their own is it read back as a tree to put them in. */
#include "proxy/log_record.h"

#include <jansson.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/json_writer.h"
#include "http/uri.h"
#include "proxy/client.h"
#include "proxy/forwarded.h"

enum { RECORD_MAX_BYTES = 1024 * 1024 };

/* Kong's default workspace: there is only one in the open edition. */
#define WORKSPACE_ID "0dc6f45b-8f8d-40d2-a504-473544ee190b"

static inline void put_string(struct json_writer *to, struct slice key, struct slice value)
{
    json_writer_key(to, key);
    json_writer_string(to, value);
}

static inline void put_integer(struct json_writer *to, struct slice key, int64_t value)
{
    json_writer_key(to, key);
    json_writer_integer(to, value);
}

/* A number that fields of one name share; different names seldom do. */
static uint32_t mark_of(const struct http_field *field)
{
    if (field->id != HTTP_NAME_OTHER)
        return (uint32_t)field->id;
    return (uint32_t)(unsigned char)slice_lower(field->name.ptr[0]) << 24 |
           (uint32_t)(unsigned char)slice_lower(field->name.ptr[field->name.len - 1]) << 16 |
           (uint32_t)(field->name.len & 0xff) << 8;
}

static bool is_same(const struct http_field *a, const struct http_field *b)
{
    return a->id == b->id && (a->id != HTTP_NAME_OTHER || slice_eq_nocase(a->name, b->name));
}

enum {
    MARK_WRITTEN = 0xff, /* no field has it: names that are not known have bits above */
    MARK_BITS = 256,
};

/* Which marks came, and which came more than once, as bits of a small hash: a field whose bit came
 * once is the only one of its name, so nothing has to be searched. */
struct mark_set {
    uint64_t once[MARK_BITS / 64], twice[MARK_BITS / 64];
};

static unsigned bit_of(uint32_t mark)
{
    return (mark * 0x9e3779b1u) >> 24;
}

static void mark_all(const struct http_headers *headers, uint32_t *marks, struct mark_set *set)
{
    memset(set, 0, sizeof(*set));
    for (uint32_t i = 0; i < headers->count; i++) {
        marks[i] = mark_of(&headers->fields[i]);
        unsigned bit = bit_of(marks[i]);
        uint64_t one = 1ull << (bit & 63);
        set->twice[bit >> 6] |= set->once[bit >> 6] & one;
        set->once[bit >> 6] |= one;
    }
}

static bool may_repeat(const struct mark_set *set, uint32_t mark)
{
    unsigned bit = bit_of(mark);
    return (set->twice[bit >> 6] >> (bit & 63) & 1) != 0;
}

/* Index of the next field from `from` on of the same name as the one at `at`, or the count. */
static uint32_t next_same(const struct http_headers *headers, const uint32_t *marks, uint32_t at,
                          uint32_t from)
{
    uint32_t i = from, mark = marks[at], count = headers->count;
    for (; i < count; i++)
        if (marks[i] == mark && is_same(&headers->fields[i], &headers->fields[at]))
            break;
    return i;
}

static struct slice shown(const struct http_field *field)
{
    bool is_secret =
        field->id == HTTP_NAME_AUTHORIZATION || field->id == HTTP_NAME_PROXY_AUTHORIZATION;
    return is_secret ? SLICE("REDACTED") : field->value;
}

static void put_key(struct json_writer *to, const struct http_field *field)
{
    if (field->id != HTTP_NAME_OTHER)
        json_writer_key(to, http_name_text(field->id)); /* small letters already */
    else
        json_writer_key_lower(to, field->name);
}

static void put_repeated(struct json_writer *to, const struct http_headers *headers,
                         uint32_t *marks, uint32_t at, uint32_t next)
{
    json_writer_begin(to, '[');
    json_writer_string(to, shown(&headers->fields[at]));
    for (; next < headers->count; next = next_same(headers, marks, at, next + 1)) {
        json_writer_string(to, shown(&headers->fields[next]));
        marks[next] = MARK_WRITTEN;
    }
    json_writer_end(to, ']');
}

static void put_headers(struct json_writer *to, struct request *request,
                        const struct http_headers *headers)
{
    uint32_t count = headers->count;
    uint32_t *marks = arena_alloc(request->arena, count * sizeof(*marks) + 1);
    struct mark_set set;
    json_writer_key(to, SLICE("headers"));
    json_writer_begin(to, '{');
    if (marks != NULL)
        mark_all(headers, marks, &set);
    for (uint32_t i = 0; marks != NULL && i < count; i++) {
        if (marks[i] == MARK_WRITTEN)
            continue; /* with the first of its name */
        put_key(to, &headers->fields[i]);
        uint32_t next = may_repeat(&set, marks[i]) ? next_same(headers, marks, i, i + 1) : count;
        if (next == count)
            json_writer_string(to, shown(&headers->fields[i]));
        else
            put_repeated(to, headers, marks, i, next);
    }
    json_writer_end(to, '}');
}

/* Kong keeps the first value of a repeated argument's name together with the others in an array; a
 * bare name is true. */
static void put_query(struct json_writer *to, struct request *request)
{
    struct slice rest = request->shape.query, name, value;
    bool is_bare;
    json_writer_key(to, SLICE("querystring"));
    json_writer_begin(to, '{');
    while (uri_query_next(&rest, &name, &value, &is_bare)) {
        struct slice earlier = request->shape.query, other, other_value;
        bool is_seen = false, other_bare;
        while (uri_query_next(&earlier, &other, &other_value, &other_bare) && other.ptr < name.ptr)
            is_seen |= slice_eq(other, name);
        if (is_seen)
            continue;
        json_writer_key_escaped(to, uri_decode(request->arena, name, true));
        struct slice later = rest;
        bool is_repeated = false;
        while (uri_query_next(&later, &other, &other_value, &other_bare))
            is_repeated |= slice_eq(other, name);
        if (is_repeated)
            json_writer_begin(to, '[');
        for (;;) {
            if (is_bare)
                json_writer_boolean(to, true);
            else
                json_writer_string(to, uri_decode(request->arena, value, true));
            if (!is_repeated)
                break;
            bool is_more = false;
            later = slice_make(value.ptr + value.len,
                               (size_t)(request->shape.query.ptr + request->shape.query.len -
                                        (value.ptr + value.len)));
            while (!is_more && uri_query_next(&later, &other, &value, &is_bare))
                is_more = slice_eq(other, name);
            if (!is_more)
                break;
        }
        if (is_repeated)
            json_writer_end(to, ']');
    }
    json_writer_end(to, '}');
}

/* scheme://host:port and the target; printf would cost more than all other members together. */
static struct slice request_url(struct request *request)
{
    struct slice scheme = request->in.is_tls ? SLICE("https://") : SLICE("http://");
    struct slice host = request->in.host, target = request->in.head.path_query;
    char *url = arena_alloc(request->arena, scheme.len + host.len + target.len + 8);
    if (url == NULL)
        return SLICE("");
    char digits[8], *at = digits + sizeof(digits);
    unsigned port = (unsigned)request->client->at->port;
    do {
        *--at = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    size_t n = 0, digit_count = (size_t)(digits + sizeof(digits) - at);
    const struct slice parts[] = {scheme, host, SLICE(":"), slice_make(at, digit_count), target};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].len > 0) /* a malformed request has no host and no target */
            memcpy(url + n, parts[i].ptr, parts[i].len);
        n += parts[i].len;
    }
    return slice_make(url, n);
}

static void put_request(struct json_writer *to, struct request *request)
{
    const struct http1_head *head = &request->in.head;
    json_writer_key(to, SLICE("request"));
    json_writer_begin(to, '{');
    put_string(to, SLICE("id"), slice_make(request->in.id, sizeof(request->in.id)));
    put_string(to, SLICE("method"), request->shape.method);
    put_string(to, SLICE("uri"), head->path_query);
    put_string(to, SLICE("url"), request_url(request));
    put_query(to, request);
    put_headers(to, request, &head->headers);
    put_integer(to, SLICE("size"), (int64_t)(request->in.head_bytes + request->body.received));
    if (request->client->conn.ssl != NULL) {
        json_writer_key(to, SLICE("tls"));
        json_writer_begin(to, '{');
        put_string(to, SLICE("version"), slice_of(SSL_get_version(request->client->conn.ssl)));
        put_string(to, SLICE("cipher"), slice_of(SSL_get_cipher_name(request->client->conn.ssl)));
        put_string(to, SLICE("client_verify"), SLICE("NONE"));
        json_writer_end(to, '}');
    }
    json_writer_end(to, '}');
}

static void put_response(struct json_writer *to, struct request *request)
{
    json_writer_key(to, SLICE("response"));
    json_writer_begin(to, '{');
    put_integer(to, SLICE("status"), request->out.status);
    put_headers(to, request, &request->out.headers);
    put_integer(to, SLICE("size"), (int64_t)request->client->out.sent);
    json_writer_end(to, '}');
}

static void put_latencies(struct json_writer *to, const struct request *request)
{
    const struct request_timing *timing = &request->timing;
    int64_t now = loop_now_ms(request->worker->loop);
    int64_t kong = (timing->access_end_ms != 0 ? timing->access_end_ms : now) - timing->start_ms;
    bool was_answered = timing->head_ms != 0;
    json_writer_key(to, SLICE("latencies"));
    json_writer_begin(to, '{');
    put_integer(to, SLICE("request"), now - timing->start_ms);
    put_integer(to, SLICE("kong"), kong);
    put_integer(to, SLICE("proxy"), was_answered ? timing->head_ms - timing->sent_ms : -1);
    put_integer(to, SLICE("receive"), was_answered ? now - timing->head_ms : 0);
    json_writer_end(to, '}');
}

static void put_tries(struct json_writer *to, const struct request *request)
{
    if (request->match.route == NULL)
        return;
    json_writer_key(to, SLICE("tries"));
    json_writer_begin(to, '[');
    for (int i = 0; i < request->attempt.tries && i < REQUEST_LOGGED_TRIES; i++) {
        const struct request_try *entry = &request->attempt.log[i];
        json_writer_begin(to, '{');
        put_integer(to, SLICE("balancer_start"), entry->start_ms);
        put_integer(to, SLICE("balancer_start_ns"), entry->start_ms * 1000000);
        json_writer_raw(to, SLICE("\"balancer_latency\":0,\"balancer_latency_ns\":0"));
        put_string(to, SLICE("ip"), slice_of(entry->ip));
        put_integer(to, SLICE("port"), entry->port);
        if (entry->status != 0) {
            bool is_last = i + 1 == request->attempt.tries;
            put_string(to, SLICE("state"), is_last ? SLICE("failed") : SLICE("next"));
            put_integer(to, SLICE("code"), entry->status);
        }
        json_writer_end(to, '}');
    }
    json_writer_end(to, ']');
}

static void put_entity(struct json_writer *to, struct slice key, const struct pdk_entity *entity)
{
    if (entity == NULL || entity->json.ptr == NULL)
        return;
    json_writer_key(to, key);
    json_writer_raw(to, slice_make(entity->json.ptr, entity->json.len));
}

static void put_identity(struct json_writer *to, const struct request *request)
{
    const struct pdk_credential *credential = request->identity.credential;
    if (credential != NULL) {
        json_writer_key(to, SLICE("authenticated_entity"));
        json_writer_begin(to, '{');
        put_string(to, SLICE("id"),
                   slice_make(credential->entity.id.ptr, credential->entity.id.len));
        json_writer_end(to, '}');
    }
    if (request->identity.consumer != NULL)
        put_entity(to, SLICE("consumer"), &request->identity.consumer->entity);
}

static void put_upstream_status(struct json_writer *to, const struct request *request)
{
    json_writer_key(to, SLICE("upstream_status"));
    if (request->out.upstream_status != 0)
        json_writer_integer(to, request->out.upstream_status);
    else
        json_writer_string(to, SLICE(""));
}

static void write_record(struct json_writer *to, struct request *request)
{
    json_writer_begin(to, '{');
    put_request(to, request);
    put_response(to, request);
    put_latencies(to, request);
    put_string(to, SLICE("upstream_uri"),
               request->attempt.tries > 0 ? request->shape.uri : SLICE(""));
    put_upstream_status(to, request);
    put_tries(to, request);
    put_identity(to, request);
    if (request->match.route != NULL)
        put_entity(to, SLICE("route"), &request->match.route->pdk);
    if (request->match.service != NULL)
        put_entity(to, SLICE("service"), &request->match.service->pdk);
    put_string(to, SLICE("client_ip"), request->in.client_ip);
    put_integer(to, SLICE("started_at"), request->timing.start_wall_ms);
    put_string(to, SLICE("source"),
               request->out.source == SOURCE_SERVICE ? SLICE("upstream") : SLICE("kong"));
    json_writer_raw(to, SLICE("\"workspace\":\"" WORKSPACE_ID "\",\"workspace_name\":\"default\""));
    json_writer_end(to, '}');
}

/* Takes the first element off a dotted path; "\." stands for a dot. */
static struct slice next_key(struct arena *arena, struct slice *path)
{
    char *out = arena_alloc(arena, path->len + 1);
    size_t n = 0, i = 0;
    if (out == NULL)
        return (struct slice){NULL, 0};
    for (; i < path->len && path->ptr[i] != '.'; i++) {
        if (path->ptr[i] == '\\' && i + 1 < path->len && path->ptr[i + 1] == '.')
            i++;
        out[n++] = path->ptr[i];
    }
    out[n] = '\0';
    *path = i < path->len ? slice_from(*path, i + 1) : slice_make(path->ptr + path->len, 0);
    return slice_make(out, n);
}

static void apply(struct arena *arena, json_t *record, const struct log_value *value)
{
    struct slice path = value->path;
    struct slice key = next_key(arena, &path);
    json_t *at = record;
    while (path.len > 0 && key.ptr != NULL) {
        json_t *next = json_object_get(at, key.ptr);
        if (!json_is_object(next)) {
            if (value->json.ptr == NULL || value->mode == LOG_VALUE_REPLACE)
                return;
            next = json_object();
            json_object_set_new(at, key.ptr, next);
        }
        at = next;
        key = next_key(arena, &path);
    }
    if (key.ptr == NULL)
        return;
    bool is_there = json_object_get(at, key.ptr) != NULL;
    if ((value->mode == LOG_VALUE_ADD && is_there) ||
        (value->mode == LOG_VALUE_REPLACE && !is_there))
        return;
    if (value->json.ptr == NULL)
        json_object_del(at, key.ptr);
    else
        json_object_set_new(at, key.ptr,
                            json_loadb(value->json.ptr, value->json.len, JSON_DECODE_ANY, NULL));
}

/* Puts plugins' values into the record, oldest first. */
static bool apply_values(struct request *request, struct buffer *record)
{
    struct slice text = buffer_slice(record);
    json_t *tree = json_loadb(text.ptr, text.len, 0, NULL);
    for (const struct log_value *value = request->log_values; tree != NULL && value != NULL;
         value = value->next)
        apply(request->arena, tree, value);
    char *made = tree == NULL ? NULL : json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    if (made == NULL)
        return false;
    buffer_consume(record, buffer_len(record));
    bool is_done = buffer_append(record, slice_of(made), RECORD_MAX_BYTES);
    free(made);
    return is_done;
}

struct slice log_record_make(struct request *request)
{
    struct buffer *record = &request->worker->record;
    struct json_writer to;
    buffer_consume(record, buffer_len(record));
    json_writer_init(&to, record, RECORD_MAX_BYTES);
    write_record(&to, request);
    if (!json_writer_finish(&to))
        return (struct slice){NULL, 0};
    if (request->log_values != NULL && !apply_values(request, record))
        return (struct slice){NULL, 0};
    return buffer_slice(record);
}
