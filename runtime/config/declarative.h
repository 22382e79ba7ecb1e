/* SPDX-License-Identifier: Apache-2.0 */
/* declarative.h -- declarative configuration: one YAML or JSON document that holds all entities
 * (reference/config-and-cli.md section 6).
 *
 * Pure but for declarative_load_file(). The result is a set of complete, checked rows with resolved
 * foreign ids, as store_replace_all() takes it. Admin thread and command line only. */
#ifndef SLUICE_CONFIG_DECLARATIVE_H
#define SLUICE_CONFIG_DECLARATIVE_H

#include <jansson.h>

#include "config/schema.h"

enum declarative_result {
    DECLARATIVE_OK,
    DECLARATIVE_UNREADABLE, /* no document: not there, too large, neither YAML nor JSON */
    DECLARATIVE_INVALID,    /* a document with errors in it */
    DECLARATIVE_NO_MEMORY,
};

enum {
    DECLARATIVE_BYTES_MAX = 64 << 20, /* of a file */
    DECLARATIVE_DEPTH_MAX = 64,       /* of nested YAML collections */
    DECLARATIVE_NODES_MAX = 2000000,  /* of a YAML document with its aliases expanded */
};

/* Text to a JSON value: JSON if it starts like it, else YAML 1.1 (aliases and merge keys are
 * expanded, duplicate keys refused). *value is a new reference; on DECLARATIVE_UNREADABLE *error is
 * a heap line that says what and where. */
enum declarative_result declarative_decode(struct slice text, json_t **value, char **error)
    __attribute__((warn_unused_result));

/* A decoded document to {"services":[rows], ...}: every core entity has its array. Missing ids are
 * deterministic where section 6.3 says so. `document` is borrowed and not changed.
 * On DECLARATIVE_INVALID *errors is the tree of section 6.4; new references. */
enum declarative_result declarative_check(const json_t *document, schema_plugin_lookup lookup,
                                          void *lookup_context, json_t **entities, json_t **errors)
    __attribute__((warn_unused_result));

/* Both steps. When the text cannot be read, *errors is {"error": "<line>"}. */
enum declarative_result declarative_parse(struct slice text, schema_plugin_lookup lookup,
                                          void *lookup_context, json_t **entities, json_t **errors)
    __attribute__((warn_unused_result));
enum declarative_result declarative_load_file(const char *path, schema_plugin_lookup lookup,
                                              void *lookup_context, json_t **entities,
                                              json_t **errors) __attribute__((warn_unused_result));

/* The tree of errors as indented lines for the terminal; heap. NULL: out of memory. */
char *declarative_error_text(const json_t *errors);

#endif
