/* SPDX-License-Identifier: Apache-2.0 */
/* migrations.h -- the numbered SQL of migrations/, compiled into the program, and how it is run.
 *
 * A migration is recorded in the table schema_migrations in the transaction that executes it, so it
 * has either happened or not. Private to the SQL stores; others use store_migrate() and the like.
 */
#ifndef SLUICE_CONFIG_MIGRATIONS_H
#define SLUICE_CONFIG_MIGRATIONS_H

#include "config/store_sql.h"

struct migration_file {
    const char *name;    /* "0001_core", or "reset", which drops what all migrations made */
    const char *dialect; /* "sqlite" or "postgres" */
    const char *sql;
};

/* In ascending order of name; the end has a NULL name. Made by migrations/embed.sh. */
extern const struct migration_file migration_files[];

/* As the functions of store.h with the same purpose. */
enum store_result migrations_state(struct sql_store *store, enum store_state *state,
                                   struct store_error *error);
enum store_result migrations_run(struct sql_store *store, int64_t lock_timeout_ms, int *applied,
                                 struct store_error *error);
enum store_result migrations_reset(struct sql_store *store, struct store_error *error);
enum store_result migrations_status(struct sql_store *store, json_t **status,
                                    struct store_error *error);

#endif
