/* SPDX-License-Identifier: Apache-2.0 */
/* routes.h -- the path table: which handler answers which path and method.
 *
 * Hand-written entries come from the caller; those of entities are generated from their schemas
 * (reference/admin-api.md section 9). Made once, immutable afterwards. */
#ifndef SLUICE_ADMIN_ROUTES_H
#define SLUICE_ADMIN_ROUTES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "admin/call.h"

struct schema;

#define ROUTES_GET (1u << CALL_GET)
#define ROUTES_POST (1u << CALL_POST)
#define ROUTES_PUT (1u << CALL_PUT)
#define ROUTES_PATCH (1u << CALL_PATCH)
#define ROUTES_DELETE (1u << CALL_DELETE)

struct routes_entry {
    const char *pattern; /* "/services/{services}/routes"; a braced segment is a parameter */
    unsigned methods;    /* ROUTES_GET ...; HEAD goes with GET, OPTIONS is always there */
    void (*run)(struct call *call);
    /* of generated entries: */
    const struct schema *schema; /* whose rows the path names */
    const struct schema *parent; /* the other end of `field`; NULL: a plain collection or item */
    const char *field;           /* foreign field of `schema` */
    bool takes_yaml;             /* bodies of type application/yaml and text/yaml too */
};

struct routes;

/* `fixed` ends with an entry without pattern and must outlive the table. `schemas` is
 * NULL-terminated; NULL: none. NULL: out of memory. */
struct routes *routes_create(const struct routes_entry *fixed, const struct schema *const *schemas)
    __attribute__((warn_unused_result));
void routes_destroy(struct routes *routes);

/* Finds the entry of call->path and decodes its parameters into the call; the path is tried as it
 * is, without a trailing slash, then with one. Answers 404 and 405 itself. False: answered. */
bool routes_find(const struct routes *routes, struct call *call)
    __attribute__((warn_unused_result));
/* "DELETE, GET, HEAD, OPTIONS, ..." in `text`. */
enum { ROUTES_ALLOW_BYTES = 64 };
void routes_allow(const struct routes_entry *entry, char text[ROUTES_ALLOW_BYTES]);
/* All patterns, sorted by segment. New reference. */
json_t *routes_list(const struct routes *routes);

#endif
