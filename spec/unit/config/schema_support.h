/* SPDX-License-Identifier: Apache-2.0 */
/* schema_support.h -- what the tests of descriptions share: JSON in single quotes, one call that
 * processes a row, and the plugin "limits" with its own description. */
#ifndef SLUICE_SPEC_UNIT_CONFIG_SCHEMA_SUPPORT_H
#define SLUICE_SPEC_UNIT_CONFIG_SCHEMA_SUPPORT_H

#include <jansson.h>

#include "config/schema.h"

/* JSON text in which ' stands for ". New reference; a test that misspells it ends. */
json_t *json_of(const char *text);

/* A row after schema_process(), and what was wrong with it. */
struct outcome {
    json_t *row;
    json_t *fields; /* the tree of errors, {} if none */
    char *message;  /* NULL if none */
};

struct outcome process(const char *schema, enum schema_mode mode, const char *json);
struct outcome process_with(const struct schema *schema, enum schema_mode mode, const char *json);
void outcome_clear(struct outcome *outcome);

/* Fails unless the row's errors are `expected` (JSON in single quotes). */
void assert_errors(const char *schema, const char *json, const char *expected);
/* Fails unless the row is fine. */
void assert_fine(const char *schema, const char *json);
/* Fails unless the member at the dotted path equals `expected` (JSON in single quotes). */
void assert_member(const json_t *row, const char *path, const char *expected);

/* One field called "f" as a whole schema, for checks of single values. `field` must outlive it. */
struct schema one_field(const struct schema_field *field);

/* Finds the plugin "limits"; any other name is not loaded. */
const struct schema *find_plugin(void *context, struct slice name);

#endif
