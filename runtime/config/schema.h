/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h -- entities and plugin configurations described as data.
 *
 * One description drives validation, defaults, form decoding, JSON output, SQL columns, /schemas
 * and Admin routes. Core entities describe themselves in entities.c; a plugin's description is
 * built when it is loaded (C: from struct pdk_field, Lua: from schema.lua). Immutable once built;
 * used by the admin thread and the command line only. Values are jansson's; an entity is a JSON
 * object. */
#ifndef SLUICE_CONFIG_SCHEMA_H
#define SLUICE_CONFIG_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct schema;
struct schema_record;

enum schema_type {
    SCHEMA_STRING,
    SCHEMA_NUMBER,
    SCHEMA_INTEGER,
    SCHEMA_BOOLEAN,
    SCHEMA_ARRAY,
    SCHEMA_SET,
    SCHEMA_MAP,
    SCHEMA_RECORD,
    SCHEMA_FOREIGN,
    SCHEMA_JSON,
    SCHEMA_ANY,
    SCHEMA_FUNCTION, /* Lua source text */
};

enum schema_on_delete { SCHEMA_RESTRICT, SCHEMA_CASCADE, SCHEMA_SET_NULL };

/* A check in code. Returns NULL if `value` is fine, else a heap message. */
typedef char *(*schema_validator)(const void *context, const json_t *value);

struct schema_pattern {
    const char *pattern; /* Lua pattern */
    const char *error;   /* NULL: the standard text */
};

struct schema_field {
    const char *name; /* NULL for elements, keys and values */
    enum schema_type type;
    bool required;
    bool unique;
    bool is_auto; /* id, created_at, updated_at, generated keys */
    bool uuid;
    bool timestamp;
    bool immutable;
    bool is_regex; /* must compile as PCRE2 */
    bool referenceable;
    bool encrypted;
    bool is_write_only; /* shorthand such as service.url: accepted, never stored nor returned */
    bool has_between, has_gt, has_len_eq, has_len_min, has_len_max;
    double between[2];
    double gt;
    int64_t len_eq, len_min, len_max;
    json_t *default_value;                            /* owned; NULL: none */
    json_t *one_of, *not_one_of, *eq, *ne, *contains; /* owned; NULL: no such check */
    const char *starts_with;
    const struct schema_pattern *match, *not_match, *match_all, *match_any,
        *match_none;                          /* end {0} */
    const char *error;                        /* `err`: replaces the message of a failed check */
    const struct schema_field *elements;      /* arrays and sets */
    const struct schema_field *keys, *values; /* maps */
    const struct schema_record *record;       /* records; NULL: any object */
    const char *reference;                    /* foreign: name of the parent's schema */
    enum schema_on_delete on_delete;
    schema_validator validate; /* custom check, after the others; NULL: none */
    const void *validate_context;
    const char *redirect; /* deprecated flat alias of this dotted sibling path: accepted, echoed */
    const char *description;
    json_t *exclusive_subsets; /* sets: array of arrays of which only one may be present; owned */
};

enum schema_check_type {
    SCHEMA_AT_LEAST_ONE_OF,
    SCHEMA_ONLY_ONE_OF,
    SCHEMA_MUTUALLY_REQUIRED,
    SCHEMA_MUTUALLY_EXCLUSIVE,
    SCHEMA_DISTINCT,
    SCHEMA_CONDITIONAL, /* if fields[0] satisfies `if_match`, fields[1] must satisfy `then_match` */
    SCHEMA_CUSTOM,      /* code over the whole record */
};

/* Collects what is wrong; see schema_errors_…() below. */
struct schema_errors;

struct schema_check {
    enum schema_check_type type;
    /* NULL-terminated, dotted paths allowed. A custom check is skipped when one of them has an
     * error already; without fields (NULL) it always runs. */
    const char *const *fields;
    /* Conditional: constraints laid over those of the field itself; their type is not looked at. */
    const struct schema_field *if_match, *then_match;
    const char *then_error;
    /* custom: reports through schema_errors_add(); `entity` is the record the check belongs to */
    void (*run)(const void *context, const json_t *entity, struct schema_errors *errors);
    const void *context;
    bool is_hidden; /* not shown by /schemas (Kong has it as a function) */
};

struct schema_record {
    const struct schema_field *fields;
    size_t field_count;
    const struct schema_check *checks;
    size_t check_count;
};

struct schema {
    const char *name;         /* table and entity name: "services", "keyauth_credentials" */
    const char *collection;   /* path segment: "services", "key-auths" */
    const char *nested;       /* segment below its parent when it differs: "key-auth"; else NULL */
    const char *endpoint_key; /* unique field that may stand for the id in paths; NULL: none */
    const char *const *unique_together; /* composite unique key over these fields; NULL: none */
    bool has_ttl;
    bool is_taggable;
    struct schema_record record;
    /* Expands shorthands of raw input (service.url) and normalises (target port) before validation;
     * may add errors. NULL: nothing. */
    void (*prepare)(json_t *entity, struct schema_errors *errors);
};

/* Builds the descriptions of the core entities; main calls it before it starts a thread, and
 * schema_shutdown() after the last one has ended. Idempotent. False: out of memory. The
 * descriptions are the one thing that this module keeps in a static: constant data that C cannot
 * express as an initialiser, because defaults are JSON values. Single-threaded programs (tests) may
 * leave both out: schema_core() builds on first use. */
bool schema_init(void) __attribute__((warn_unused_result));
void schema_shutdown(void);
/* The core entities of this build, in an order in which parents precede children:
 * services, routes, consumers, plugins, keyauth_credentials. NULL-terminated. */
const struct schema *const *schema_core(void);
const struct schema *schema_find(const char *name);
const struct schema_field *schema_record_field(const struct schema_record *record,
                                               const char *name);
/* Top-level fields that are unique by themselves, in order, at most `max`; returns their number. */
size_t schema_unique_fields(const struct schema *schema, const struct schema_field **out,
                            size_t max);

/* 36 characters 8-4-4-4-12, hexadecimal in any case. */
bool schema_is_uuid(struct slice text);
/* A random one (version 4), and the one that `name` has in `space` (version 5, RFC 9562; `space` is
 * the text of a UUID). */
void schema_uuid_random(char out[37]);
bool schema_uuid_named(const char *space, struct slice name, char out[37])
    __attribute__((warn_unused_result));
/* `value` as error messages show it, Lua table text on one line: {id="u",name="n"}. Heap. */
char *schema_lua_text(const json_t *value);

/* ---------------------------------------------------------------------------------- validation */
struct schema_errors *schema_errors_create(void);
void schema_errors_destroy(struct schema_errors *errors);
bool schema_errors_is_empty(const struct schema_errors *errors);
/* `path` dotted ("config.redis.host", "paths.2": 1-based positions) or "@entity". */
void schema_errors_add(struct schema_errors *errors, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The `fields` member of Kong's error body: nested objects, "@entity" arrays. New reference. */
json_t *schema_errors_fields(const struct schema_errors *errors);
/* "schema violation (name: required field missing)" or "2 schema violations (...; ...)"; heap. */
char *schema_errors_message(const struct schema_errors *errors);

enum schema_mode { SCHEMA_INSERT, SCHEMA_UPSERT, SCHEMA_UPDATE };

/* Finds the schema of a plugin's row by the plugin's name; NULL: not loaded. */
typedef const struct schema *(*schema_plugin_lookup)(void *context, struct slice plugin_name);

/* Brings raw input into stored form: expands shorthands, fills defaults and auto fields (insert,
 * upsert), validates everything. `input` is changed in place and afterwards holds every field of
 * the schema (null where unset). For SCHEMA_UPDATE the input is already merged over the stored row.
 * For `plugins` rows, `lookup` supplies the schema of `config` by the row's name. */
void schema_process(const struct schema *schema, enum schema_mode mode, json_t *input,
                    schema_plugin_lookup lookup, void *lookup_context,
                    struct schema_errors *errors);
/* Checks one value against the field `name` of `schema`, as the key of a path is (code 10). NULL:
 * it is fine; else a heap message. A field that does not exist is an error too. */
char *schema_validate_field(const struct schema *schema, const char *name, const json_t *value);
/* Adds "immutable field cannot be updated" where `row` (processed) differs from `stored`. */
void schema_check_immutable(const struct schema *schema, const json_t *stored, const json_t *row,
                            struct schema_errors *errors);
/* PATCH of an entity, plugins with their own config included: what Admin handlers call.
 * New reference; NULL: out of memory. */
json_t *schema_merge_entity(const struct schema *schema, const json_t *stored, const json_t *change,
                            schema_plugin_lookup lookup, void *lookup_context);
/* PATCH: merges `change` over `stored` (records member by member, others whole). New reference. */
json_t *schema_merge(const struct schema_record *record, const json_t *stored,
                     const json_t *change);
/* Converts the strings of a decoded form to the types of the schema, in place. */
void schema_convert_form(const struct schema *schema, json_t *input, schema_plugin_lookup lookup,
                         void *lookup_context);
/* {"fields":[...],"entity_checks":[...]} as GET /schemas/... shows it. New reference. */
json_t *schema_describe(const struct schema_record *record);

#endif
