/* SPDX-License-Identifier: Apache-2.0 */
/* entities.h -- the descriptions of the core entities, and the checks that their fields need. */
#ifndef SLUICE_CONFIG_ENTITIES_H
#define SLUICE_CONFIG_ENTITIES_H

#include "base/arena.h"
#include "config/schema.h"

enum { ENTITIES_COUNT = 5 };

/* Fills `out` with services, routes, consumers, plugins, keyauth_credentials, in this order. What
 * they point to lives in `arena` (JSON values included); the schemas themselves belong to it too.
 * False: out of memory; the arena is then to be cleared. */
bool entities_build(struct arena *arena, const struct schema *out[ENTITIES_COUNT])
    __attribute__((warn_unused_result));

/* Checks of single values, as schema_validator: NULL or a heap message. The context is not used. */
char *entities_check_name(const void *context, const json_t *value); /* UTF-8 name */
char *entities_check_tag(const void *context, const json_t *value);
char *entities_check_host(const void *context, const json_t *value); /* name or IP, no port */
char *entities_check_route_host(const void *context,
                                const json_t *value);                /* port, wildcard allowed */
char *entities_check_sni(const void *context, const json_t *value);  /* wildcard allowed */
char *entities_check_path(const void *context, const json_t *value); /* of a service */
char *entities_check_route_path(const void *context, const json_t *value); /* prefix or ~regex */
char *entities_check_header_name(const void *context, const json_t *value);
char *entities_check_ip_or_cidr(const void *context, const json_t *value);

/* Whether a text is a good regular expression for the router; NULL or a heap message. */
char *entities_check_regex(struct slice regex);

/* Expands the shorthand `url` into protocol, host, port and path. */
void entities_expand_service(json_t *service, struct schema_errors *errors);
/* gRPC routes keep their path unless told otherwise. */
void entities_prepare_route(json_t *route, struct schema_errors *errors);
/* What a route must and must not have depends on its protocols. */
void entities_check_route(const void *context, const json_t *route, struct schema_errors *errors);

#endif
