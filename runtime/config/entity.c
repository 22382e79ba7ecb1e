/* SPDX-License-Identifier: Apache-2.0 */
/* entity.c -- from a stored row to the plain struct that the data plane reads.
 *
 * An entity is built in an arena on the stack, which moves into the entity once it is complete:
 * whatever fails on the way, one arena_clear() takes everything back. The reader remembers its
 * first failure, so that a constructor reads like the list of its fields. */
#include "config/entity.h"

#include <limits.h>

#include "base/clock.h"

struct reader {
    const json_t *row;
    struct arena *arena;
    bool has_failed;
};

static const char *const protocol_names[] = {
    [PROTOCOL_HTTP] = "http",
    [PROTOCOL_HTTPS] = "https",
    [PROTOCOL_GRPC] = "grpc",
    [PROTOCOL_GRPCS] = "grpcs",
    [PROTOCOL_TCP] = "tcp",
    [PROTOCOL_TLS] = "tls",
    [PROTOCOL_TLS_PASSTHROUGH] = "tls_passthrough",
    [PROTOCOL_UDP] = "udp",
};

bool protocol_parse(struct slice text, enum protocol *out)
{
    for (size_t i = 0; i < sizeof(protocol_names) / sizeof(*protocol_names); i++) {
        if (slice_eq(text, slice_of(protocol_names[i]))) {
            *out = (enum protocol)i;
            return true;
        }
    }
    return false;
}

const char *protocol_name(enum protocol protocol)
{
    return protocol_names[protocol];
}

/* The member, or NULL if it is absent or null. */
static const json_t *get(const struct reader *in, const char *field)
{
    const json_t *value = json_object_get(in->row, field);
    return json_is_null(value) ? NULL : value;
}

static struct slice copy_text(struct reader *in, const json_t *value)
{
    if (!json_is_string(value)) {
        in->has_failed = true;
        return (struct slice){NULL, 0};
    }
    struct slice text = slice_make(json_string_value(value), json_string_length(value));
    struct slice copy = arena_copy(in->arena, text);
    if (copy.ptr == NULL)
        in->has_failed = true;
    return copy;
}

static struct slice copy_lower(struct reader *in, struct slice text)
{
    char *copy = arena_alloc(in->arena, text.len + 1);
    if (copy == NULL) {
        in->has_failed = true;
        return (struct slice){NULL, 0};
    }
    for (size_t i = 0; i < text.len; i++)
        copy[i] = slice_lower(text.ptr[i]);
    copy[text.len] = '\0';
    return slice_make(copy, text.len);
}

/* Absent if the field is null. */
static struct slice get_text(struct reader *in, const char *field)
{
    const json_t *value = get(in, field);
    return value == NULL ? (struct slice){NULL, 0} : copy_text(in, value);
}

static int64_t get_integer(struct reader *in, const char *field, int64_t otherwise)
{
    const json_t *value = get(in, field);
    if (value == NULL)
        return otherwise;
    if (json_is_integer(value))
        return json_integer_value(value);
    double real = json_is_real(value) ? json_real_value(value) : -1e300;
    if (real > -9e15 && real < 9e15) /* both ends are exact in a double */
        return (int64_t)real;
    in->has_failed = true;
    return otherwise;
}

static int get_int(struct reader *in, const char *field, int otherwise)
{
    int64_t value = get_integer(in, field, otherwise);
    if (value >= INT_MIN && value <= INT_MAX)
        return (int)value;
    in->has_failed = true;
    return otherwise;
}

static bool get_boolean(struct reader *in, const char *field, bool otherwise)
{
    const json_t *value = get(in, field);
    if (value == NULL)
        return otherwise;
    if (!json_is_boolean(value))
        in->has_failed = true;
    return json_is_true(value);
}

static struct slice get_foreign(struct reader *in, const char *field)
{
    const json_t *value = get(in, field);
    return value == NULL ? (struct slice){NULL, 0} : copy_text(in, json_object_get(value, "id"));
}

static struct slice *copy_list(struct reader *in, const json_t *list, bool is_lower, size_t *count)
{
    *count = 0;
    if (list == NULL)
        return NULL;
    size_t size = json_array_size(list);
    struct slice *items = arena_calloc(in->arena, (size + 1) * sizeof(*items));
    if (!json_is_array(list) || items == NULL) {
        in->has_failed = true;
        return NULL;
    }
    for (size_t i = 0; i < size && !in->has_failed; i++) {
        items[i] = copy_text(in, json_array_get(list, i));
        if (is_lower && !in->has_failed)
            items[i] = copy_lower(in, items[i]);
    }
    *count = in->has_failed ? 0 : size;
    return items;
}

static struct slice *get_list(struct reader *in, const char *field, size_t *count)
{
    return copy_list(in, get(in, field), false, count);
}

/* A copy of `value` without the members that are null, at any depth. Elements of arrays stay, for
 * their position means something. New reference; NULL: out of memory. */
static json_t *without_nulls(json_t *value)
{
    bool is_object = json_is_object(value);
    if (!is_object && !json_is_array(value))
        return json_incref(value);
    json_t *copy = is_object ? json_object() : json_array();
    if (is_object) {
        const char *key;
        json_t *member;
        json_object_foreach(value, key, member)
        {
            if (!json_is_null(member) && json_object_set_new(copy, key, without_nulls(member)) != 0)
                goto fail;
        }
        return copy;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        if (json_array_append_new(copy, without_nulls(json_array_get(value, i))) != 0)
            goto fail;
    return copy;
fail:
    json_decref(copy);
    return NULL;
}

static struct slice row_text(struct reader *in)
{
    /* jansson has no const-correct copy of references; the row itself is not changed. */
    json_t *row = without_nulls((json_t *)(uintptr_t)in->row);
    size_t bytes = row == NULL ? 0 : json_dumpb(row, NULL, 0, JSON_COMPACT);
    char *text = bytes == 0 ? NULL : arena_alloc(in->arena, bytes + 1);
    if (text == NULL || json_dumpb(row, text, bytes, JSON_COMPACT) != bytes) {
        in->has_failed = true;
        json_decref(row);
        return (struct slice){NULL, 0};
    }
    json_decref(row);
    text[bytes] = '\0';
    return slice_make(text, bytes);
}

/* A zeroed struct of `bytes` whose common part is filled; NULL: `row` is no entity, or memory. */
static void *begin(struct reader *in, struct arena *arena, const json_t *row, size_t bytes,
                   const char *name_field)
{
    *in = (struct reader){.row = row, .arena = arena};
    arena_init(arena, NULL);
    struct entity *entity = json_is_object(row) ? arena_calloc(arena, bytes) : NULL;
    if (entity == NULL)
        return NULL;
    atomic_init(&entity->refs, 1);
    entity->id = get_text(in, "id");
    entity->name = get_text(in, name_field);
    entity->created_at = get_integer(in, "created_at", 0);
    entity->json = row_text(in);
    if (entity->id.ptr == NULL)
        in->has_failed = true;
    return entity;
}

/* Moves the arena into the entity it holds. NULL if anything has failed. */
static void *finish(const struct reader *in, struct entity *entity)
{
    if (entity == NULL || in->has_failed) {
        arena_clear(in->arena);
        return NULL;
    }
    entity->arena = *in->arena;
    return entity;
}

static enum protocol read_protocol(struct reader *in, const json_t *value)
{
    enum protocol protocol = PROTOCOL_HTTP;
    if (!json_is_string(value) || !protocol_parse(slice_of(json_string_value(value)), &protocol))
        in->has_failed = true;
    return protocol;
}

struct service *service_create(const json_t *row)
{
    struct arena arena;
    struct reader in;
    struct service *service = begin(&in, &arena, row, sizeof(*service), "name");
    if (service != NULL) {
        service->protocol = read_protocol(&in, get(&in, "protocol"));
        service->host = get_text(&in, "host");
        service->port = get_int(&in, "port", 80);
        service->path = get_text(&in, "path");
        service->retries = get_int(&in, "retries", 5);
        service->connect_timeout_ms = get_integer(&in, "connect_timeout", 60000);
        service->write_timeout_ms = get_integer(&in, "write_timeout", 60000);
        service->read_timeout_ms = get_integer(&in, "read_timeout", 60000);
        service->is_enabled = get_boolean(&in, "enabled", true);
        service->is_tls_verified = get_boolean(&in, "tls_verify", false);
        service->tls_verify_depth = get_int(&in, "tls_verify_depth", 1);
        if (service->host.ptr == NULL)
            in.has_failed = true;
    }
    return finish(&in, (struct entity *)service);
}

/* One rule of a route about a header. A single value that starts with "~*" is a regular expression,
 * which must keep its case: \D is not \d. */
static void read_header(struct reader *in, const char *name, const json_t *values,
                        struct route_header *out)
{
    const char *only = json_string_value(json_array_get(values, 0));
    out->name = copy_lower(in, slice_of(name));
    out->is_regex = json_array_size(values) == 1 && only != NULL &&
                    slice_starts_with(slice_of(only), SLICE("~*"));
    out->values = copy_list(in, values, !out->is_regex, &out->value_count);
    if (out->is_regex && !in->has_failed)
        out->values[0] = slice_from(out->values[0], 2);
}

static void read_headers(struct reader *in, struct route *route)
{
    const json_t *headers = get(in, "headers");
    if (headers == NULL)
        return;
    size_t size = json_object_size(headers), count = 0;
    route->headers = arena_calloc(in->arena, (size + 1) * sizeof(*route->headers));
    if (!json_is_object(headers) || route->headers == NULL) {
        in->has_failed = true;
        return;
    }
    const char *name;
    json_t *values;
    json_object_foreach((json_t *)(uintptr_t)headers, name, values)
    {
        if (in->has_failed)
            return;
        read_header(in, name, values, &route->headers[count++]);
    }
    route->header_count = count;
}

static void read_protocols(struct reader *in, struct route *route)
{
    const json_t *list = get(in, "protocols");
    for (size_t i = 0; i < json_array_size(list); i++)
        route->protocols |= 1u << read_protocol(in, json_array_get(list, i));
    if (route->protocols == 0)
        in->has_failed = true;
}

struct route *route_create(const json_t *row)
{
    struct arena arena;
    struct reader in;
    struct route *route = begin(&in, &arena, row, sizeof(*route), "name");
    if (route != NULL) {
        route->service_id = get_foreign(&in, "service");
        read_protocols(&in, route);
        route->methods = get_list(&in, "methods", &route->method_count);
        route->hosts = get_list(&in, "hosts", &route->host_count);
        route->paths = get_list(&in, "paths", &route->path_count);
        route->snis = get_list(&in, "snis", &route->sni_count);
        read_headers(&in, route);
        route->https_redirect_status = get_int(&in, "https_redirect_status_code", 426);
        route->regex_priority = get_integer(&in, "regex_priority", 0);
        route->is_path_stripped = get_boolean(&in, "strip_path", true);
        route->is_host_preserved = get_boolean(&in, "preserve_host", false);
        route->is_path_v1 = slice_eq(get_text(&in, "path_handling"), SLICE("v1"));
        route->is_request_buffered = get_boolean(&in, "request_buffering", true);
        route->is_response_buffered = get_boolean(&in, "response_buffering", true);
    }
    return finish(&in, (struct entity *)route);
}

struct consumer *consumer_create(const json_t *row)
{
    struct arena arena;
    struct reader in;
    struct consumer *consumer = begin(&in, &arena, row, sizeof(*consumer), "username");
    if (consumer != NULL)
        consumer->custom_id = get_text(&in, "custom_id");
    return finish(&in, (struct entity *)consumer);
}

struct credential *credential_create(const json_t *row, const char *key_field)
{
    struct arena arena;
    struct reader in;
    struct credential *credential = begin(&in, &arena, row, sizeof(*credential), key_field);
    if (credential != NULL) {
        credential->consumer_id = get_foreign(&in, "consumer");
        int64_t ttl_s = get_integer(&in, "ttl", 0); /* remaining, as stores return it */
        if (ttl_s > 0)
            credential->expires_at = clock_wall_ms() / 1000 + ttl_s;
        if (credential->entity.name.ptr == NULL || credential->consumer_id.ptr == NULL)
            in.has_failed = true;
    }
    return finish(&in, (struct entity *)credential);
}

struct entity *entity_ref(struct entity *entity)
{
    atomic_fetch_add_explicit(&entity->refs, 1, memory_order_relaxed);
    return entity;
}

void entity_unref(struct entity *entity)
{
    /* The last one out must see every other thread's use as finished. */
    if (entity == NULL || atomic_fetch_sub_explicit(&entity->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct arena arena = entity->arena; /* it holds the entity, so it cannot be cleared in place */
    arena_clear(&arena);
}
