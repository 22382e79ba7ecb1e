/* SPDX-License-Identifier: Apache-2.0 */
/* schema_parts.h -- what the files of the schema engine share with one another and with nobody
 * else.
 *
 * Errors are collected at the place where the engine stands: a chain of schema_place nodes on the C
 * stack, from the value being checked up to the entity. */
#ifndef SLUICE_CONFIG_SCHEMA_PARTS_H
#define SLUICE_CONFIG_SCHEMA_PARTS_H

#include "config/schema.h"

/* A step from a container to the value being checked. */
struct schema_place {
    const struct schema_place *up; /* NULL: a member of the entity itself */
    const char *name;              /* NULL: an element, at `position` */
    size_t position;               /* 1-based */
};

struct schema_errors {
    json_t *fields;                /* object; NULL once memory ran out */
    size_t count;                  /* of messages */
    const struct schema_place *at; /* where schema_errors_add() counts its paths from */
};

enum {
    SCHEMA_ERRORS_MAX = 1000,     /* messages kept; a body of many megabytes must not answer more */
    SCHEMA_POSITION_MAX = 100000, /* elements behind this are reported here */
};

/* -------------------------------------------------------------------------------- errors, text */
/* Enters a member or an element: place->up and errors->at are set. Leave in reverse order. */
void schema_errors_enter(struct schema_errors *errors, struct schema_place *place, const char *name,
                         size_t position);
void schema_errors_leave(struct schema_errors *errors);
/* A message for the value where `errors` stands; `message` may be NULL (out of memory). */
void schema_errors_put(struct schema_errors *errors, const char *message);
/* Likewise, but formatted. */
void schema_errors_putf(struct schema_errors *errors, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds to "@entity" of the record where `errors` stands. */
void schema_errors_put_entity(struct schema_errors *errors, const char *message);
/* Whether there is an error at the dotted path, seen from where `errors` stands. */
bool schema_errors_has(const struct schema_errors *errors, const char *path);

/* Text that grows; once memory runs out it stays broken and schema_text_take() gives NULL. */
struct schema_text {
    char *ptr;
    size_t len, capacity;
    bool is_broken;
};

void schema_text_add(struct schema_text *text, const char *bytes, size_t len);
void schema_text_addz(struct schema_text *text, const char *string);
void schema_text_addf(struct schema_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A scalar as Lua's tostring() shows it: text bare, whole numbers without fraction. */
void schema_text_add_value(struct schema_text *text, const json_t *value);
/* A value as Lua source; indented over several lines unless `is_compact`. */
void schema_text_add_lua(struct schema_text *text, const json_t *value, bool is_compact);
/* 'a', 'b' */
void schema_text_add_quoted(struct schema_text *text, const char *const *names);
/* The heap text, which the caller frees; NULL: out of memory. The builder is empty afterwards. */
char *schema_text_take(struct schema_text *text);
/* Sorted member names of an object: a heap array that borrows them, NULL-terminated. NULL: out of
 * memory. */
const char **schema_text_sorted_keys(const json_t *object);

/* ------------------------------------------------------------------------------------ checking */
/* Everything that checks of one entity need to know. */
struct schema_checker {
    struct schema_errors *errors;
    bool is_update; /* messages say "when updating" */
};

/* Checks `value` (may be NULL: absent) against a field and reports where errors stands. */
void schema_validate_value(struct schema_checker *checker, const struct schema_field *field,
                           bool is_required, const json_t *value);
/* Checks the members and then the record's own checks. `object` is one. */
void schema_validate_record(struct schema_checker *checker, const struct schema_record *record,
                            const json_t *object);
/* The checks over several fields of a record. */
void schema_checks_run(struct schema_checker *checker, const struct schema_record *record,
                       const json_t *object);
/* The constraints of a field in Kong's order, types aside; NULL or a heap message. */
char *schema_constraints_check(const struct schema_field *field, const json_t *value);
/* Value at a dotted path; NULL: absent. */
json_t *schema_path_get(const json_t *object, const char *path);
/* Field at a dotted path; NULL: none. */
const struct schema_field *schema_path_field(const struct schema_record *record, const char *path);
/* "{vault://...}" */
bool schema_is_reference(const json_t *value);

/* The core description laid under a plugin's own: fields of the same name and all checks of the
 * plugin take part. Heap, one free(). NULL: out of memory. */
struct schema_record *schema_specialise(const struct schema_record *core,
                                        const struct schema_record *plugin);
/* The plugin's schema for a row or a change of one; NULL: no name in it, or not loaded. */
const struct schema *schema_plugin_of(const json_t *row, schema_plugin_lookup lookup,
                                      void *context);
/* Whether rows of `schema` have a config that belongs to a plugin. */
bool schema_is_plugins(const struct schema *schema);

#endif
