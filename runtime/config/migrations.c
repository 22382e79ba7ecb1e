/* SPDX-License-Identifier: Apache-2.0 */
/* migrations.c -- compares schema_migrations with what is compiled in, and runs what is missing.
 *
 * Every migration takes the lock anew and looks again whether another node was faster; between two
 * migrations the other node may go on, which is harmless because each leaves a whole schema. */
#include "config/migrations.h"

#include <stdio.h>
#include <string.h>

enum { RESET_LOCK_TIMEOUT_MS = 60000 };

static bool is_of(const struct migration_file *file, const struct sql_store *store)
{
    return strcmp(file->dialect, store_sql_dialect_name(store->driver->dialect)) == 0;
}

/* A migration of the store's dialect, not its reset script. */
static bool is_migration(const struct migration_file *file, const struct sql_store *store)
{
    return file->name[0] >= '0' && file->name[0] <= '9' && is_of(file, store);
}

static bool contains(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    return false;
}

static bool on_name(void *context, const struct slice *values, size_t count)
{
    json_t **names = context;
    if (count == 1 && values[0].ptr != NULL &&
        json_array_append_new(*names, json_stringn(values[0].ptr, values[0].len)) == 0)
        return true;
    json_decref(*names);
    *names = NULL;
    return false;
}

static enum store_result query_names(struct sql_store *store, const char *sql, json_t **names,
                                     struct store_error *error)
{
    *names = json_array();
    if (*names == NULL)
        return store_error_memory(error);
    struct sql_statement statement = {.sql = sql, .on_row = on_name, .context = names};
    enum store_result result = store->driver->run(store, &statement, error);
    if (result == STORE_OK && *names == NULL)
        return store_error_memory(error);
    if (result != STORE_OK) {
        json_decref(*names);
        *names = NULL;
    }
    return result;
}

/* The names in schema_migrations; *names stays NULL if there is no such table. */
static enum store_result read_executed(struct sql_store *store, json_t **names,
                                       struct store_error *error)
{
    bool is_postgres = store->driver->dialect == SQL_POSTGRES;
    json_t *tables;
    *names = NULL;
    enum store_result result = query_names(
        store,
        is_postgres
            /* not to_regclass(): its cache may not know yet what another node made while this one
             * waited for the lock */
            ? "SELECT relname FROM pg_class WHERE relname IN ('schema_migrations', 'schema_meta') "
              "AND pg_table_is_visible(oid)"
            : "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
        &tables, error);
    if (result != STORE_OK)
        return result;
    bool is_ours = contains(tables, "schema_migrations");
    bool is_foreign = contains(tables, "schema_meta") && !is_ours;
    json_decref(tables);
    if (is_foreign)
        return store_error_set(
            error, STORE_FAILED,
            "the database holds the tables of a Kong Gateway (schema_meta); name "
            "another database (pg_database) or schema (pg_schema)");
    if (!is_ours)
        return STORE_OK;
    return query_names(store, "SELECT name FROM schema_migrations ORDER BY name", names, error);
}

enum store_result migrations_state(struct sql_store *store, enum store_state *state,
                                   struct store_error *error)
{
    json_t *executed;
    enum store_result result = read_executed(store, &executed, error);
    if (result != STORE_OK)
        return result;
    *state = json_array_size(executed) == 0 ? STORE_EMPTY : STORE_READY;
    for (const struct migration_file *file = migration_files; file->name != NULL; file++)
        if (*state == STORE_READY && is_migration(file, store) && !contains(executed, file->name))
            *state = STORE_BEHIND;
    json_decref(executed);
    return STORE_OK;
}

static enum store_result record(struct sql_store *store, const char *name,
                                struct store_error *error)
{
    struct slice params[] = {slice_of(name)};
    struct sql_statement statement = {
        .sql = store->driver->dialect == SQL_POSTGRES
                   ? "INSERT INTO schema_migrations (name) VALUES ($1)"
                   : "INSERT INTO schema_migrations (name) VALUES (?1)",
        .params = params,
        .param_count = 1,
    };
    return store->driver->run(store, &statement, error);
}

static void name_in_error(struct store_error *error, const char *name)
{
    char text[sizeof(error->text)];
    snprintf(text, sizeof(text), "%s", error->text);
    store_error_set(error, STORE_FAILED, "migration %s: %s", name, text);
}

/* Runs one migration unless another node has done so meanwhile. */
static enum store_result run_one(struct sql_store *store, const struct migration_file *file,
                                 int64_t lock_timeout_ms, int *applied, struct store_error *error)
{
    json_t *executed = NULL;
    enum store_result result = store->driver->begin(store, SQL_MIGRATE, lock_timeout_ms, error);
    if (result != STORE_OK)
        return result;
    result = read_executed(store, &executed, error);
    if (result != STORE_OK || contains(executed, file->name)) {
        store->driver->rollback(store);
        json_decref(executed);
        return result;
    }
    if (executed == NULL)
        result = store->driver->script(store,
                                       "CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, "
                                       "executed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)",
                                       error);
    json_decref(executed);
    if (result == STORE_OK)
        result = store->driver->script(store, file->sql, error);
    if (result == STORE_OK)
        result = record(store, file->name, error);
    if (result == STORE_OK)
        result = store->driver->commit(store, error);
    if (result == STORE_OK) {
        (*applied)++;
        return STORE_OK;
    }
    name_in_error(error, file->name);
    store->driver->rollback(store);
    return result;
}

enum store_result migrations_run(struct sql_store *store, int64_t lock_timeout_ms, int *applied,
                                 struct store_error *error)
{
    json_t *executed;
    enum store_result result = read_executed(store, &executed, error);
    for (const struct migration_file *file = migration_files;
         file->name != NULL && result == STORE_OK; file++)
        if (is_migration(file, store) && !contains(executed, file->name))
            result = run_one(store, file, lock_timeout_ms, applied, error);
    json_decref(executed);
    return result;
}

enum store_result migrations_reset(struct sql_store *store, struct store_error *error)
{
    enum store_result result =
        store->driver->begin(store, SQL_MIGRATE, RESET_LOCK_TIMEOUT_MS, error);
    if (result != STORE_OK)
        return result;
    for (const struct migration_file *file = migration_files;
         file->name != NULL && result == STORE_OK; file++)
        if (strcmp(file->name, "reset") == 0 && is_of(file, store))
            result = store->driver->script(store, file->sql, error);
    if (result == STORE_OK)
        result = store->driver->commit(store, error);
    if (result != STORE_OK)
        store->driver->rollback(store);
    return result;
}

enum store_result migrations_status(struct sql_store *store, json_t **status,
                                    struct store_error *error)
{
    json_t *executed;
    enum store_result result = read_executed(store, &executed, error);
    if (result != STORE_OK)
        return result;
    json_t *known = json_array(), *new = json_array(), *missing = json_array();
    bool is_ok = true;
    for (const struct migration_file *file = migration_files; file->name != NULL; file++) {
        if (!is_migration(file, store))
            continue;
        is_ok &= json_array_append_new(known, json_string(file->name)) == 0;
        if (!contains(executed, file->name))
            is_ok &= json_array_append_new(new, json_string(file->name)) == 0;
    }
    for (size_t i = 0; is_ok && i < json_array_size(executed); i++) {
        json_t *name = json_array_get(executed, i);
        if (!contains(known, json_string_value(name)))
            is_ok &= json_array_append(missing, name) == 0;
    }
    json_decref(known);
    if (executed == NULL)
        executed = json_array();
    *status =
        is_ok ? json_pack("{s:o, s:o, s:o}", "executed", executed, "new", new, "missing", missing)
              : NULL;
    if (!is_ok) {
        json_decref(executed);
        json_decref(new);
        json_decref(missing);
    }
    return *status == NULL ? store_error_memory(error) : STORE_OK;
}
