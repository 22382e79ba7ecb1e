/* SPDX-License-Identifier: Apache-2.0 */
/* headers.c -- the field list. Lookups of a known name test one bit before they walk the list;
 * other names are compared by length, then without case. */
#include "http/headers.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "http/char_class.h"

/* Room for a usual head and what the gateway adds to it, so that the array is rarely moved. */
enum { FIRST_FIELDS = 24 };

static_assert(HTTP_NAME_COUNT <= 64, "struct http_headers keeps known names in 64 bits");

static const struct slice names[HTTP_NAME_COUNT] = {[HTTP_NAME_OTHER] = {"", 0},
#define X(identifier, name) [HTTP_NAME_##identifier] = {name, sizeof(name) - 1},
                                                    HTTP_NAMES(X)
#undef X
};

struct slice http_name_text(enum http_name id)
{
    return names[id];
}

/* The only known name of this length that `name` can be, told by the byte where they differ. */
static enum http_name candidate(struct slice name)
{
    const char *p = name.ptr;
    switch (name.len) {
    case 2: return HTTP_NAME_TE;
    case 3: return HTTP_NAME_VIA;
    case 4: return slice_lower(p[0]) == 'h' ? HTTP_NAME_HOST : HTTP_NAME_DATE;
    case 5: return HTTP_NAME_PROXY;
    case 6:
        switch (slice_lower(p[0])) {
        case 'a': return HTTP_NAME_ACCEPT;
        case 'c': return HTTP_NAME_COOKIE;
        case 'e': return HTTP_NAME_EXPECT;
        }
        return HTTP_NAME_SERVER;
    case 7:
        switch (slice_lower(p[0])) {
        case 'r': return HTTP_NAME_REFERER;
        case 't': return HTTP_NAME_TRAILER;
        }
        return HTTP_NAME_UPGRADE;
    case 9: return HTTP_NAME_X_REAL_IP;
    case 10:
        switch (slice_lower(p[0])) {
        case 'c': return HTTP_NAME_CONNECTION;
        case 'u': return HTTP_NAME_USER_AGENT;
        }
        return slice_lower(p[1]) == 'e' ? HTTP_NAME_KEEP_ALIVE : HTTP_NAME_KONG_DEBUG;
    case 12: return HTTP_NAME_CONTENT_TYPE;
    case 13: return HTTP_NAME_AUTHORIZATION;
    case 14: return HTTP_NAME_CONTENT_LENGTH;
    case 15: return HTTP_NAME_X_FORWARDED_FOR;
    case 16:
        switch (slice_lower(p[13])) {
        case 'o':
            return slice_lower(p[12]) == 'h' ? HTTP_NAME_X_FORWARDED_HOST
                                             : HTTP_NAME_X_FORWARDED_PORT;
        case 'a': return HTTP_NAME_X_FORWARDED_PATH;
        }
        return HTTP_NAME_PROXY_CONNECTION;
    case 17:
        switch (slice_lower(p[2])) {
        case 'a': return HTTP_NAME_TRANSFER_ENCODING;
        case 'f': return HTTP_NAME_X_FORWARDED_PROTO;
        }
        return HTTP_NAME_X_KONG_REQUEST_ID;
    case 18: return HTTP_NAME_X_FORWARDED_PREFIX;
    case 19: return HTTP_NAME_PROXY_AUTHORIZATION;
    }
    return HTTP_NAME_OTHER;
}

/* Bits in which 8 bytes differ from `lower`, but for the case of letters. Letters have bit 0x40,
 * "-" and digits have not: "\r" differs from "-" only in bit 0x20 and must not pass for it. */
static uint64_t differ_8(const char *name, const char *lower)
{
    uint64_t a, b;
    memcpy(&a, name, sizeof(a));
    memcpy(&b, lower, sizeof(b));
    return (a ^ b) & ~((b >> 1) & 0x2020202020202020u);
}

static uint32_t differ_4(const char *name, const char *lower)
{
    uint32_t a, b;
    memcpy(&a, name, sizeof(a));
    memcpy(&b, lower, sizeof(b));
    return (a ^ b) & ~((b >> 1) & 0x20202020u);
}

/* `lower`: letters in lower case, digits and "-", `len` bytes like `name`. The last step overlaps.
 */
static bool equals_lower(const char *name, const char *lower, size_t len)
{
    if (len < 4) {
        for (size_t i = 0; i < len; i++)
            if (slice_lower(name[i]) != lower[i])
                return false;
        return true;
    }
    if (len < 8)
        return (differ_4(name, lower) | differ_4(name + len - 4, lower + len - 4)) == 0;
    for (size_t i = 0; i + 8 < len; i += 8)
        if (differ_8(name + i, lower + i) != 0)
            return false;
    return differ_8(name + len - 8, lower + len - 8) == 0;
}

enum http_name http_name_find(struct slice name)
{
    enum http_name id = candidate(name);
    if (id != HTTP_NAME_OTHER && equals_lower(name.ptr, names[id].ptr, name.len))
        return id;
    return HTTP_NAME_OTHER;
}

bool http_headers_grow(struct http_headers *headers, struct arena *arena)
{
    uint32_t capacity = headers->capacity == 0 ? FIRST_FIELDS : headers->capacity;
    if (headers->capacity > 0 && __builtin_mul_overflow(capacity, 2u, &capacity))
        return false;
    struct http_field *fields = arena_alloc(arena, capacity * sizeof(*fields));
    if (fields == NULL)
        return false;
    if (headers->count > 0)
        memcpy(fields, headers->fields, headers->count * sizeof(*fields));
    headers->fields = fields;
    headers->capacity = capacity;
    return true;
}

/* Whether `field` has the name that http_name_find() gave `id` for. */
static bool is_named(const struct http_field *field, struct slice name, enum http_name id)
{
    return field->id == id && (id != HTTP_NAME_OTHER || slice_eq_nocase(field->name, name));
}

static struct http_field *find(const struct http_headers *headers, struct slice name,
                               enum http_name id)
{
    if (id != HTTP_NAME_OTHER && !http_headers_has(headers, id))
        return NULL;
    for (uint32_t i = 0; i < headers->count; i++)
        if (is_named(&headers->fields[i], name, id))
            return &headers->fields[i];
    return NULL;
}

struct slice http_headers_get_known(const struct http_headers *headers, enum http_name id)
{
    if (id != HTTP_NAME_OTHER && http_headers_has(headers, id))
        for (uint32_t i = 0; i < headers->count; i++)
            if (headers->fields[i].id == id)
                return headers->fields[i].value;
    return slice_of(NULL);
}

struct slice http_headers_get(const struct http_headers *headers, struct slice name)
{
    const struct http_field *field = find(headers, name, http_name_find(name));
    return field == NULL ? slice_of(NULL) : field->value;
}

/* Removes the fields of that name from the array's place `from` on. */
static size_t remove_from(struct http_headers *headers, uint32_t from, struct slice name,
                          enum http_name id)
{
    while (from < headers->count && !is_named(&headers->fields[from], name, id))
        from++;
    uint32_t kept = from;
    for (uint32_t i = from; i < headers->count; i++)
        if (!is_named(&headers->fields[i], name, id))
            headers->fields[kept++] = headers->fields[i];
    size_t removed = headers->count - kept;
    headers->count = kept;
    return removed;
}

size_t http_headers_remove_known(struct http_headers *headers, enum http_name id)
{
    if (id == HTTP_NAME_OTHER || !http_headers_has(headers, id))
        return 0;
    headers->known &= ~(UINT64_C(1) << id);
    return remove_from(headers, 0, names[id], id);
}

size_t http_headers_remove(struct http_headers *headers, struct slice name)
{
    enum http_name id = http_name_find(name);
    if (id != HTTP_NAME_OTHER)
        return http_headers_remove_known(headers, id);
    return remove_from(headers, 0, name, id);
}

struct slice http_headers_get_as(const struct http_headers *headers, struct slice name,
                                 enum http_name id)
{
    const struct http_field *field = find(headers, name, id);
    return field == NULL ? slice_of(NULL) : field->value;
}

bool http_headers_set(struct http_headers *headers, struct arena *arena, struct slice name,
                      struct slice value)
{
    return http_headers_set_as(headers, arena, name, value, http_name_find(name));
}

bool http_headers_set_as(struct http_headers *headers, struct arena *arena, struct slice name,
                         struct slice value, enum http_name id)
{
    struct http_field *field = find(headers, name, id);
    if (field == NULL)
        return http_headers_add(headers, arena, name, value, id);
    field->name = name;
    field->value = value;
    remove_from(headers, (uint32_t)(field - headers->fields) + 1, name, id);
    return true;
}

bool http_is_token(struct slice text)
{
    return text.len > 0 && char_class_all(text, CHAR_TOKEN);
}

bool http_is_field_value(struct slice text)
{
    /* Eight bytes at a time while none of them is a control or DEL; tab is told apart below. */
    const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= text.len; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.ptr + i, sizeof(word));
        uint64_t ascii = word & ~tops, is_low = (word - ones * 0x20) & ~word;
        if (((is_low | (ascii + ones)) & ~word & tops) != 0)
            break;
    }
    return char_class_all(slice_from(text, i), CHAR_VALUE);
}

bool http_list_has(struct slice value, struct slice token)
{
    struct slice element;
    while (slice_split(&value, ',', &element))
        if (slice_eq_nocase(slice_trim(element), token))
            return true;
    return false;
}
