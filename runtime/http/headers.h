/* SPDX-License-Identifier: Apache-2.0 */
/* headers.h -- a list of header fields in the order of the wire, with fast access to known ones.
 *
 * Names and values are borrowed slices (of the receive buffer or the request's arena). A known name
 * is recognised once, when the field is added, by enum http_name; lookups of known names compare
 * numbers. */
#ifndef SLUICE_HTTP_HEADERS_H
#define SLUICE_HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct arena;

/* X(identifier, "lower-case name"): names that the gateway itself reads or writes. */
#define HTTP_NAMES(X)                                                                              \
    X(HOST, "host")                                                                                \
    X(CONNECTION, "connection")                                                                    \
    X(CONTENT_LENGTH, "content-length")                                                            \
    X(TRANSFER_ENCODING, "transfer-encoding")                                                      \
    X(CONTENT_TYPE, "content-type")                                                                \
    X(KEEP_ALIVE, "keep-alive")                                                                    \
    X(PROXY_CONNECTION, "proxy-connection")                                                        \
    X(PROXY, "proxy")                                                                              \
    X(TE, "te")                                                                                    \
    X(TRAILER, "trailer")                                                                          \
    X(UPGRADE, "upgrade")                                                                          \
    X(EXPECT, "expect")                                                                            \
    X(DATE, "date")                                                                                \
    X(SERVER, "server")                                                                            \
    X(VIA, "via")                                                                                  \
    X(ACCEPT, "accept")                                                                            \
    X(USER_AGENT, "user-agent")                                                                    \
    X(REFERER, "referer")                                                                          \
    X(AUTHORIZATION, "authorization")                                                              \
    X(PROXY_AUTHORIZATION, "proxy-authorization")                                                  \
    X(COOKIE, "cookie")                                                                            \
    X(X_REAL_IP, "x-real-ip")                                                                      \
    X(X_FORWARDED_FOR, "x-forwarded-for")                                                          \
    X(X_FORWARDED_PROTO, "x-forwarded-proto")                                                      \
    X(X_FORWARDED_HOST, "x-forwarded-host")                                                        \
    X(X_FORWARDED_PORT, "x-forwarded-port")                                                        \
    X(X_FORWARDED_PATH, "x-forwarded-path")                                                        \
    X(X_FORWARDED_PREFIX, "x-forwarded-prefix")                                                    \
    X(X_KONG_REQUEST_ID, "x-kong-request-id")                                                      \
    X(KONG_DEBUG, "kong-debug")

enum http_name {
    HTTP_NAME_OTHER,
#define X(identifier, name) HTTP_NAME_##identifier,
    HTTP_NAMES(X)
#undef X
        HTTP_NAME_COUNT,
};

struct http_field {
    struct slice name; /* as received */
    struct slice value;
    enum http_name id;
};

struct http_headers {
    struct http_field *fields;
    uint32_t count;
    uint32_t capacity;
    uint64_t known; /* 1 << enum http_name of every known name present */
};

/* Recognises a name without regard to case; HTTP_NAME_OTHER if it is none of ours. */
enum http_name http_name_find(struct slice name);
struct slice http_name_text(enum http_name id); /* lower case */

/* Makes room for at least one more field; called by http_headers_add(). False: out of memory. */
bool http_headers_grow(struct http_headers *headers, struct arena *arena)
    __attribute__((warn_unused_result));
/* Appends. `id` is what http_name_find() gives for `name`. False: out of memory. */
static inline __attribute__((warn_unused_result)) bool
http_headers_add(struct http_headers *headers, struct arena *arena, struct slice name,
                 struct slice value, enum http_name id)
{
    if (headers->count == headers->capacity && !http_headers_grow(headers, arena))
        return false;
    struct http_field *field = &headers->fields[headers->count++];
    field->name = name;
    field->value = value;
    field->id = id;
    headers->known |= (UINT64_C(1) << id) & ~(UINT64_C(1) << HTTP_NAME_OTHER);
    return true;
}
/* First value; absent if there is none. */
struct slice http_headers_get_known(const struct http_headers *headers, enum http_name id);
struct slice http_headers_get(const struct http_headers *headers, struct slice name);
static inline bool http_headers_has(const struct http_headers *headers, enum http_name id)
{
    return (headers->known >> id) & 1;
}
/* Removes every field of that name (order of the rest is kept); how many there were. */
size_t http_headers_remove(struct http_headers *headers, struct slice name);
size_t http_headers_remove_known(struct http_headers *headers, enum http_name id);
/* Replaces the first and removes the others, or appends. */
bool http_headers_set(struct http_headers *headers, struct arena *arena, struct slice name,
                      struct slice value) __attribute__((warn_unused_result));
/* The same two for callers that have looked the name up already: `id` is http_name_find(name). */
struct slice http_headers_get_as(const struct http_headers *headers, struct slice name,
                                 enum http_name id);
bool http_headers_set_as(struct http_headers *headers, struct arena *arena, struct slice name,
                         struct slice value, enum http_name id) __attribute__((warn_unused_result));
/* RFC 9110 section 5.6.2 / 5.5: is it allowed as a name / as a value (no CTL but tab)? */
bool http_is_token(struct slice text);
bool http_is_field_value(struct slice text);
/* True if the comma-separated list `value` has `token`, compared without case. */
bool http_list_has(struct slice value, struct slice token);

#endif
