/* SPDX-License-Identifier: Apache-2.0 */
/* store_ops.h -- what a kind of store must supply; private to the store_*.c files.
 *
 * store.c hands the functions of store.h to these; contracts and ownership are those of store.h,
 * out parameters are already reset. A NULL member is an operation that the kind does not have. */
#ifndef SLUICE_CONFIG_STORE_OPS_H
#define SLUICE_CONFIG_STORE_OPS_H

#include "config/store.h"

enum store_write { STORE_INSERT, STORE_UPDATE, STORE_UPSERT };

typedef bool (*store_visit)(void *context, json_t *row);

struct store_ops {
    const char *kind;
    void (*close)(struct store *store);
    enum store_result (*state_get)(struct store *store, enum store_state *state,
                                   struct store_error *error);
    enum store_result (*migrate)(struct store *store, int64_t lock_timeout_ms, int *applied,
                                 struct store_error *error);
    enum store_result (*reset)(struct store *store, struct store_error *error);
    enum store_result (*status)(struct store *store, json_t **status, struct store_error *error);
    enum store_result (*select_by)(struct store *store, const struct schema *schema,
                                   const char *field, const char *value, json_t **row,
                                   struct store_error *error);
    enum store_result (*list)(struct store *store, const struct schema *schema,
                              const struct store_page *page, json_t **rows, bool *has_more,
                              struct store_error *error);
    enum store_result (*each)(struct store *store, const struct schema *schema, store_visit visit,
                              void *context, struct store_error *error);
    enum store_result (*read_begin)(struct store *store, struct store_error *error);
    void (*read_end)(struct store *store);
    enum store_result (*write)(struct store *store, const struct schema *schema,
                               enum store_write kind, const json_t *row, struct store_error *error);
    enum store_result (*remove)(struct store *store, const struct schema *schema, const char *id,
                                struct store_error *error);
    enum store_result (*replace_all)(struct store *store, const json_t *entities,
                                     struct store_error *error);
    enum store_result (*changes_since)(struct store *store, int64_t seq, json_t **rows,
                                       int64_t *latest, struct store_error *error);
};

/* First member of every kind's own struct. */
struct store {
    const struct store_ops *ops;
    struct log *log; /* not owned */
};

struct store *store_sqlite_open(const struct options *options, struct log *log,
                                struct store_error *error);
struct store *store_postgres_open(const struct options *options, struct log *log,
                                  struct store_error *error);
struct store *store_memory_open(struct log *log, struct store_error *error);

/* Writes error->text, on one line whatever the arguments contain, and returns `result`. */
enum store_result store_error_set(struct store_error *error, enum store_result result,
                                  const char *format, ...) __attribute__((format(printf, 3, 4)));
enum store_result store_error_memory(struct store_error *error);

#endif
