/* SPDX-License-Identifier: Apache-2.0 */
/* entity.h -- entities as plain structs, read by the data plane.
 *
 * Made from checked JSON rows on the admin thread, immutable afterwards, reference-counted and
 * shared by all snapshots that hold the unchanged row. Every struct begins with struct entity. */
#ifndef SLUICE_CONFIG_ENTITY_H
#define SLUICE_CONFIG_ENTITY_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

enum protocol { /* bits are 1 << protocol */
                PROTOCOL_HTTP,
                PROTOCOL_HTTPS,
                PROTOCOL_GRPC,
                PROTOCOL_GRPCS,
                PROTOCOL_TCP,
                PROTOCOL_TLS,
                PROTOCOL_TLS_PASSTHROUGH,
                PROTOCOL_UDP,
};

struct entity {
    atomic_uint refs;
    struct arena arena; /* holds everything the struct points to, and the struct itself */
    struct slice id;
    struct slice name; /* endpoint key; absent if unset */
    struct slice json; /* the row as JSON text without null members, for plugins and logs */
    int64_t created_at;
};

struct service {
    struct entity entity;
    enum protocol protocol;
    struct slice host;
    int port;
    struct slice path; /* absent if null */
    int retries;
    int64_t connect_timeout_ms, write_timeout_ms, read_timeout_ms;
    bool is_enabled;
    bool is_tls_verified;
    int tls_verify_depth;
};

struct route_header {
    struct slice name;    /* lower case */
    struct slice *values; /* lower case */
    size_t value_count;
    bool is_regex; /* a single value, "~*" removed */
};

struct route {
    struct entity entity;
    struct slice service_id;                      /* absent if null */
    unsigned protocols;                           /* 1 << enum protocol */
    struct slice *methods, *hosts, *paths, *snis; /* paths: regexes keep their "~" */
    size_t method_count, host_count, path_count, sni_count;
    struct route_header *headers;
    size_t header_count;
    int https_redirect_status;
    int64_t regex_priority;
    bool is_path_stripped, is_host_preserved, is_path_v1;
    bool is_request_buffered, is_response_buffered;
};

struct consumer {
    struct entity entity;
    struct slice custom_id; /* absent if null */
};

struct credential {
    struct entity entity; /* name is the key */
    struct slice consumer_id;
    struct consumer *consumer; /* resolved by the snapshot's builder; not owned; may be NULL */
    int64_t expires_at;        /* Unix seconds; 0: never */
};

/* From a stored row; NULL: out of memory or a row that breaks the schema (bad type). One reference.
 */
struct service *service_create(const json_t *row);
struct route *route_create(const json_t *row);
struct consumer *consumer_create(const json_t *row);
/* `key_field` names the member that becomes entity.name ("key"). */
struct credential *credential_create(const json_t *row, const char *key_field);
struct entity *entity_ref(struct entity *entity);
void entity_unref(struct entity *entity); /* any thread; NULL is allowed */

/* "http" .. "udp"; false: none of them. */
bool protocol_parse(struct slice text, enum protocol *out);
const char *protocol_name(enum protocol protocol);

#endif
