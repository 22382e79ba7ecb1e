/* SPDX-License-Identifier: Apache-2.0 */
/* store_sql.h -- what the two SQL stores share, and the driver that each of them supplies.
 *
 * store_sql.c implements store.h once, over a driver that runs one statement at a time. Values
 * travel as text in both directions, as in PostgreSQL's text protocol; SQLite's column affinities
 * turn them into numbers. Private to the store_*.c files and migrations.c. */
#ifndef SLUICE_CONFIG_STORE_SQL_H
#define SLUICE_CONFIG_STORE_SQL_H

#include "base/slice.h"
#include "config/store_ops.h"

struct sql_store;

enum sql_dialect { SQL_SQLITE, SQL_POSTGRES };

enum sql_transaction {
    SQL_NONE,
    SQL_READ,  /* all statements see one state */
    SQL_WRITE, /* one at a time in the whole database: the change log is numbered in commit order */
    SQL_MIGRATE, /* excludes other migrations; statements may take MIGRATION_TIMEOUT_MS */
};

enum {
    SQL_MIGRATION_TIMEOUT_MS = 600000, /* one migration, once it has the lock */
    SQL_NAME_BYTES = 64,               /* identifiers of PostgreSQL, with their NUL */
};

struct sql_statement {
    const char *sql;
    const struct slice *params; /* NUL-terminated; absent: SQL NULL */
    size_t param_count;
    /* Values are NUL-terminated and live during the call. False: no more rows. NULL: none wanted.
     */
    bool (*on_row)(void *context, const struct slice *values, size_t count);
    void *context;
    int64_t affected; /* out: rows written by this statement itself */
};

/* Which constraint a statement broke; empty where the database does not say. */
struct sql_clash {
    char table[SQL_NAME_BYTES];
    char column[SQL_NAME_BYTES];
};

struct sql_driver {
    enum sql_dialect dialect;
    void (*close)(struct sql_store *store);
    enum store_result (*begin)(struct sql_store *store, enum sql_transaction kind,
                               int64_t lock_timeout_ms, struct store_error *error);
    enum store_result (*commit)(struct sql_store *store, struct store_error *error);
    void (*rollback)(struct sql_store *store);
    /* Outside a transaction only reads may be run: they may be sent twice. Broken constraints are
     * STORE_UNIQUE, STORE_PRIMARY or STORE_FOREIGN with store->clash filled. */
    enum store_result (*run)(struct sql_store *store, struct sql_statement *statement,
                             struct store_error *error);
    /* Several statements without parameters, within a transaction. */
    enum store_result (*script)(struct sql_store *store, const char *sql,
                                struct store_error *error);
};

/* First member of the drivers' own structs. */
struct sql_store {
    struct store base;
    const struct sql_driver *driver;
    struct sql_clash clash;
    bool is_reading; /* between store_read_begin() and store_read_end() */
};

extern const struct store_ops store_sql_sqlite_ops, store_sql_postgres_ops;

/* "sqlite" or "postgres", as in migration_files[].dialect. */
const char *store_sql_dialect_name(enum sql_dialect dialect);

#endif
