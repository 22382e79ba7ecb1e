/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h -- the error tables of the Admin API (reference/admin-api.md section 5): code, name,
 * message, fields, literally as Kong writes them. Each function answers the call. */
#ifndef SLUICE_ADMIN_ERRORS_H
#define SLUICE_ADMIN_ERRORS_H

#include <jansson.h>

#include "config/store.h"

struct call;
struct schema;
struct schema_errors;

/* What a refused write wanted, for "cannot <...> 'routes' entities when not using a database". */
enum errors_write { ERRORS_CREATE, ERRORS_UPDATE, ERRORS_UPSERT, ERRORS_REMOVE };

void errors_primary_key(struct call *call);                                     /* 1 */
void errors_schema(struct call *call, const struct schema_errors *errors);      /* 2 */
void errors_not_found(struct call *call, const char *field, const char *value); /* 6; "id": by id */
void errors_offset(struct call *call, const char *offset, const char *why);     /* 7 */
void errors_size(struct call *call, const char *message);                       /* 9 */
void errors_unique_key(struct call *call, const char *field, const char *why);  /* 10 */
void errors_option(struct call *call, const char *option, const char *why);     /* 11 */
/* 13. `field` refers to `parent` by `key` = `value`, which nobody has. */
void errors_unresolved(struct call *call, const char *field, const char *key, const json_t *value,
                       const char *parent);
void errors_declarative(struct call *call, json_t *fields); /* 14; takes the reference */
/* A failed store call: 3, 4, 5, 12, 503 when the database is away, else 500 (logged). `id` of the
 * row and `key` (endpoint key that the URL used; NULL: id) are for the texts. Clears `error`. */
void errors_store(struct call *call, const struct schema *schema, enum errors_write write,
                  enum store_result result, struct store_error *error, const char *id,
                  const char *key);

#endif
