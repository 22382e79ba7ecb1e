/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.h -- finds the row that a path segment or a foreign key means, and shows rows.
 *
 * A function that returns bool returns false once it has answered the call. */
#ifndef SLUICE_ADMIN_LOOKUP_H
#define SLUICE_ADMIN_LOOKUP_H

#include <jansson.h>
#include <stdbool.h>

#include "base/slice.h"

struct call;
struct schema;

/* What a path segment says: an id, or a value of the endpoint key. */
struct lookup_key {
    const char *field; /* "id", or schema->endpoint_key */
    char value[1024];  /* ids in lower case */
};

/* Checks `segment`: error code 1 without an endpoint key, 10 if the key's field refuses it. */
bool lookup_key_parse(struct call *call, const struct schema *schema, const char *segment,
                      struct lookup_key *key) __attribute__((warn_unused_result));
/* *row: new reference, or NULL if there is no such row. */
bool lookup_row(struct call *call, const struct schema *schema, const struct lookup_key *key,
                json_t **row) __attribute__((warn_unused_result));
/* Both in one. */
bool lookup_segment(struct call *call, const struct schema *schema, const char *segment,
                    json_t **row) __attribute__((warn_unused_result));
/* row[field].id, NULL if the row refers to nobody. Borrowed. */
const char *lookup_foreign_id(const json_t *row, const char *field);
/* Replaces foreign fields of `input` that name their parent by a unique field ({"name": "x"}) with
 * {"id": ...}. Error code 13 if there is no such parent. */
bool lookup_resolve_foreign(struct call *call, const struct schema *schema, json_t *input)
    __attribute__((warn_unused_result));

/* schema_plugin_lookup over the loaded plugins; `context` is the call. */
const struct schema *lookup_plugin_schema(void *context, struct slice name);
/* The row as answers show it; takes over its reference. A plugin's config gets the members that its
 * schema has gained since the row was stored. NULL: out of memory. */
json_t *lookup_present(struct call *call, const struct schema *schema, json_t *row);

#endif
