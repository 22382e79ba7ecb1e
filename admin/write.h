/* SPDX-License-Identifier: Apache-2.0 */
/* write.h -- changes one row: input -> checks -> store -> data plane.
 *
 * Functions that return a row return a new reference, or NULL once they have answered the call.
 * `input` is borrowed and changed. */
#ifndef SLUICE_ADMIN_WRITE_H
#define SLUICE_ADMIN_WRITE_H

#include <jansson.h>
#include <stdbool.h>

struct call;
struct lookup_key;
struct schema;
struct schema_errors;

json_t *write_insert(struct call *call, const struct schema *schema, json_t *input)
    __attribute__((warn_unused_result));
/* Merges `input` over `stored`; `key` says how the URL named the row. */
json_t *write_update(struct call *call, const struct schema *schema, const struct lookup_key *key,
                     const json_t *stored, json_t *input) __attribute__((warn_unused_result));
/* Replaces the row that `key` names, or makes it. */
json_t *write_upsert(struct call *call, const struct schema *schema, const struct lookup_key *key,
                     json_t *input) __attribute__((warn_unused_result));
/* A row that is gone already is fine. False: answered. */
bool write_delete(struct call *call, const struct schema *schema, const struct lookup_key *key,
                  const json_t *stored) __attribute__((warn_unused_result));
/* Types, foreign keys and schema of `input`, without storing anything (POST /schemas/.../validate).
 * False: answered. */
bool write_check(struct call *call, const struct schema *schema, json_t *input)
    __attribute__((warn_unused_result));

#endif
