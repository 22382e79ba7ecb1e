/* SPDX-License-Identifier: Apache-2.0 */
/* store.h -- the seam between the control plane and where configuration is kept.
 *
 * SQLite, PostgreSQL or memory (declarative). Blocking: used by the admin thread and the command
 * line only; every call ends within the store's timeout. Rows are JSON objects with every field of
 * the schema (null where unset). A write is durable when the call has returned STORE_OK. */
#ifndef SLUICE_CONFIG_STORE_H
#define SLUICE_CONFIG_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct log;
struct options;
struct schema;
struct store;

enum store_result {
    STORE_OK,
    STORE_NOT_FOUND,
    STORE_UNIQUE,      /* error.fields: the clashing key {name: value, ...} */
    STORE_PRIMARY,     /* the id exists already */
    STORE_FOREIGN,     /* error.fields: {field: {id}}, error.entity: the parent's name */
    STORE_REFERENCED,  /* error.entity: the child's name */
    STORE_READ_ONLY,   /* memory store: declarative configuration */
    STORE_UNAVAILABLE, /* the database cannot be reached or did not answer in time */
    STORE_FAILED,      /* anything else; error.text says what */
};

/* Zeroed by the caller before the first call; a call that fails fills it, store_error_clear() makes
 * it ready for the next. */
struct store_error {
    char text[512];     /* one line for the log or the terminal: which, where, what to do */
    const char *entity; /* static */
    json_t *fields;     /* owned; store_error_clear() */
};

void store_error_clear(struct store_error *error);

/* State of the schema in the database. */
enum store_state { STORE_READY, STORE_EMPTY /* needs bootstrap */, STORE_BEHIND /* needs up */ };

/* Opens the store named by options->database. SQLite creates its file; it bootstraps itself in
 * store_migrate(). NULL: `error` is filled (which server, which user, why). */
struct store *store_open(const struct options *options, struct log *log, struct store_error *error)
    __attribute__((warn_unused_result));
void store_close(struct store *store);
const char *store_kind(const struct store *store); /* "sqlite", "postgres" or "off" */

/* ------------------------------------------------------------ migrations */
enum store_result store_state_get(struct store *store, enum store_state *state,
                                  struct store_error *error) __attribute__((warn_unused_result));
/* Runs what is missing of migrations/, each in one transaction, under a lock that a second node
 * waits for (at most lock_timeout_ms). *applied counts them. Idempotent. */
enum store_result store_migrate(struct store *store, int64_t lock_timeout_ms, int *applied,
                                struct store_error *error) __attribute__((warn_unused_result));
/* Drops everything that migrations made. */
enum store_result store_reset(struct store *store, struct store_error *error)
    __attribute__((warn_unused_result));
/* {"executed":[names],"new":[names],"missing":[names]}; new reference. "missing" were executed by a
 * newer build and are unknown to this one. */
enum store_result store_migration_status(struct store *store, json_t **status,
                                         struct store_error *error)
    __attribute__((warn_unused_result));

/* ------------------------------------------------------------ rows */
enum store_result store_select(struct store *store, const struct schema *schema, const char *id,
                               json_t **row, struct store_error *error)
    __attribute__((warn_unused_result));
/* By a unique field (text). */
enum store_result store_select_by(struct store *store, const struct schema *schema,
                                  const char *field, const char *value, json_t **row,
                                  struct store_error *error) __attribute__((warn_unused_result));

struct store_page {
    const char *after_id;      /* rows with a greater id only; NULL: from the first */
    size_t limit;              /* 1..1000 */
    const char *foreign_field; /* with foreign_id: only children of that parent; NULL: all */
    const char *foreign_id;
    const char *const *tags; /* NULL-terminated; NULL: no filter */
    bool is_any_tag;         /* true: any of them; false: all of them */
};
/* *rows: array in ascending order of id; *has_more: rows follow the last one. */
enum store_result store_list(struct store *store, const struct schema *schema,
                             const struct store_page *page, json_t **rows, bool *has_more,
                             struct store_error *error) __attribute__((warn_unused_result));
/* Calls visit(context, row) for every row in ascending order of id, in one consistent read; stops
 * when it returns false. The row is borrowed. */
enum store_result store_each(struct store *store, const struct schema *schema,
                             bool (*visit)(void *context, json_t *row), void *context,
                             struct store_error *error) __attribute__((warn_unused_result));
/* Between the two, all reads see one state of the whole store, and writes are refused with
 * STORE_FAILED. Nothing to end if begin failed. */
enum store_result store_read_begin(struct store *store, struct store_error *error)
    __attribute__((warn_unused_result));
void store_read_end(struct store *store);

/* `row` is borrowed, complete, and has passed schema_process(). */
enum store_result store_insert(struct store *store, const struct schema *schema, const json_t *row,
                               struct store_error *error) __attribute__((warn_unused_result));
/* Replaces the row with row.id; STORE_NOT_FOUND if there is none. */
enum store_result store_update(struct store *store, const struct schema *schema, const json_t *row,
                               struct store_error *error) __attribute__((warn_unused_result));
/* Inserts or replaces by row.id. */
enum store_result store_upsert(struct store *store, const struct schema *schema, const json_t *row,
                               struct store_error *error) __attribute__((warn_unused_result));
/* Children with SCHEMA_CASCADE go with it. STORE_NOT_FOUND if there was none. */
enum store_result store_delete(struct store *store, const struct schema *schema, const char *id,
                               struct store_error *error) __attribute__((warn_unused_result));
/* Memory store only: replaces everything at once. `entities`: {"services":[rows], ...}. */
enum store_result store_replace_all(struct store *store, const json_t *entities,
                                    struct store_error *error) __attribute__((warn_unused_result));

/* ------------------------------------------------------------ change log */
/* Every write of a row, cascades included, appends to a log in the same transaction, numbered
 * without gaps in commit order. *rows: what came after `seq`, ascending, as
 * {"seq":n,"entity":schema name,"id":row id,"op":"insert"|"update"|"delete"}; new reference.
 * *rows is NULL when the log cannot tell (entries up to now were pruned, or the store was reset):
 * then everything must be read again. *latest: the highest number so far. The log keeps the last
 * hour, at most about 10,000 entries. PostgreSQL also notifies the channel `sluice_config`. */
enum store_result store_changes_since(struct store *store, int64_t seq, json_t **rows,
                                      int64_t *latest, struct store_error *error)
    __attribute__((warn_unused_result));

#endif
