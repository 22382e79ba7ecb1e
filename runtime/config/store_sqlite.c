/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.c -- the SQLite driver: one file, one connection, prepared statements kept.
 *
 * WAL lets the command line read while the gateway writes; synchronous=FULL makes a commit durable
 * before it answers. Another process that holds the write lock is waited for, up to
 * BUSY_TIMEOUT_MS. The file holds credentials, so it is made readable by its owner alone; SQLite
 * gives its side files the same mode. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "config/options.h"
#include "config/store_sql.h"

enum {
    BUSY_TIMEOUT_MS = 5000,
    WAL_RETRY_MS = 10,
    STATEMENTS_MAX = 128, /* kept prepared; more are made and dropped each time */
    VALUES_MAX = 80,      /* columns of a result: SQL_COLUMNS_MAX and some */
};

struct cached {
    sqlite3_stmt *statement;
    bool is_busy; /* a visitor may run the same text again while its rows are being stepped through
                   */
};

struct sqlite_store {
    struct sql_store sql;
    sqlite3 *db;
    char *path;
    struct map statements; /* text, which the statement owns, to struct cached */
};

static struct sqlite_store *sqlite_of(struct sql_store *store)
{
    return (struct sqlite_store *)store;
}

/* ------------------------------------------------------------ errors */

/* "UNIQUE constraint failed: services.name" */
static void note_clash(struct sqlite_store *store)
{
    const char *message = sqlite3_errmsg(store->db);
    const char *name = strstr(message, "failed: ");
    struct sql_clash *clash = &store->sql.clash;
    *clash = (struct sql_clash){0};
    if (name == NULL)
        return;
    name += strlen("failed: ");
    size_t dot = strcspn(name, ".");
    size_t end = name[dot] == '\0' ? 0 : strcspn(name + dot + 1, ", ");
    if (end == 0 || dot >= sizeof(clash->table) || end >= sizeof(clash->column))
        return;
    memcpy(clash->table, name, dot);
    memcpy(clash->column, name + dot + 1, end);
}

/* Only the codes that need another answer than STORE_FAILED are told apart. */
static enum store_result fail(struct sqlite_store *store, int code, struct store_error *error)
{
    const char *message = sqlite3_errmsg(store->db);
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
        code == SQLITE_CONSTRAINT_ROWID) {
        note_clash(store);
        return store_error_set(error,
                               code == SQLITE_CONSTRAINT_UNIQUE &&
                                       strcmp(store->sql.clash.column, "id") != 0
                                   ? STORE_UNIQUE
                                   : STORE_PRIMARY,
                               "%s", message);
    }
    /* An ON DELETE RESTRICT reports itself as a trigger. */
    if (code == SQLITE_CONSTRAINT_FOREIGNKEY || code == SQLITE_CONSTRAINT_TRIGGER)
        return store_error_set(error, STORE_FOREIGN, "%s", message);
    int primary = code & 0xff;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
        return store_error_set(error, STORE_UNAVAILABLE,
                               "SQLite database %s: another process keeps it locked; try again, or "
                               "stop that process",
                               store->path);
    bool is_empty = strncmp(message, "no such table", 13) == 0;
    if (is_empty || strncmp(message, "no such column", 14) == 0)
        return store_error_set(error, STORE_FAILED,
                               "SQLite database %s: %s; the schema is not up to date. Run 'sluice "
                               "migrations %s'",
                               store->path, message, is_empty ? "bootstrap" : "up");
    return store_error_set(error, STORE_FAILED, "SQLite database %s: %s", store->path, message);
}

/* ------------------------------------------------------------ statements */

static void drop_statements(struct sqlite_store *store)
{
    size_t position = 0;
    struct map_slot *slot;
    while ((slot = map_next(&store->statements, &position)) != NULL) {
        struct cached *cached = slot->value;
        sqlite3_finalize(cached->statement);
        free(cached);
    }
    map_clear(&store->statements);
}

/* A statement ready to be bound. *cached is NULL if it must be finalized after use. */
static sqlite3_stmt *take_statement(struct sqlite_store *store, const char *sql,
                                    struct cached **cached, int *code)
{
    sqlite3_stmt *statement = NULL;
    *code = SQLITE_OK;
    *cached = map_get(&store->statements, slice_of(sql));
    if (*cached != NULL && !(*cached)->is_busy) {
        (*cached)->is_busy = true;
        return (*cached)->statement;
    }
    bool is_kept = *cached == NULL && store->statements.count < STATEMENTS_MAX;
    *cached = NULL;
    *code = sqlite3_prepare_v3(store->db, sql, -1, is_kept ? SQLITE_PREPARE_PERSISTENT : 0,
                               &statement, NULL);
    if (*code != SQLITE_OK || !is_kept)
        return statement;
    struct cached *entry = malloc(sizeof(*entry));
    if (entry == NULL)
        return statement;
    *entry = (struct cached){statement, true};
    if (map_set(&store->statements, slice_of(sqlite3_sql(statement)), entry))
        *cached = entry;
    else
        free(entry);
    return statement;
}

static void give_statement(sqlite3_stmt *statement, struct cached *cached)
{
    if (cached == NULL) {
        sqlite3_finalize(statement);
        return;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    cached->is_busy = false;
}

/* SQLite's own text of a real has 15 digits, two too few to come back as the same number. */
static struct slice value_of(sqlite3_stmt *statement, int column, char real[32])
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL: return (struct slice){NULL, 0};
    case SQLITE_FLOAT: {
        int len = snprintf(real, 32, "%.17g", sqlite3_column_double(statement, column));
        return slice_make(real, (size_t)len);
    }
    default: {
        const char *text = (const char *)sqlite3_column_text(statement, column);
        return slice_make(text, (size_t)sqlite3_column_bytes(statement, column));
    }
    }
}

/* False: the receiver wants no more. */
static bool pass_row(sqlite3_stmt *statement, const struct sql_statement *to)
{
    struct slice values[VALUES_MAX];
    char reals[VALUES_MAX][32];
    int count = sqlite3_column_count(statement);
    if (to->on_row == NULL || count > VALUES_MAX)
        return to->on_row == NULL;
    for (int i = 0; i < count; i++)
        values[i] = value_of(statement, i, reals[i]);
    return to->on_row(to->context, values, (size_t)count);
}

static enum store_result sqlite_run(struct sql_store *base, struct sql_statement *statement,
                                    struct store_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    struct cached *cached;
    int code;
    enum store_result result = STORE_OK;
    sqlite3_stmt *prepared = take_statement(store, statement->sql, &cached, &code);
    if (prepared == NULL)
        return fail(store, code, error);
    for (size_t i = 0; i < statement->param_count && code == SQLITE_OK; i++) {
        struct slice param = statement->params[i];
        if (param.ptr == NULL)
            code = sqlite3_bind_null(prepared, (int)i + 1);
        else
            code = sqlite3_bind_text64(prepared, (int)i + 1, param.ptr, param.len, SQLITE_STATIC,
                                       SQLITE_UTF8);
    }
    if (code == SQLITE_OK)
        while ((code = sqlite3_step(prepared)) == SQLITE_ROW)
            if (!pass_row(prepared, statement))
                break;
    if (code == SQLITE_DONE || code == SQLITE_ROW)
        statement->affected = sqlite3_changes64(store->db);
    else
        result = fail(store, sqlite3_extended_errcode(store->db), error);
    give_statement(prepared, cached);
    return result;
}

static enum store_result sqlite_script(struct sql_store *base, const char *sql,
                                       struct store_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return STORE_OK;
    return fail(store, sqlite3_extended_errcode(store->db), error);
}

/* ------------------------------------------------------------ transactions */

static enum store_result sqlite_begin(struct sql_store *base, enum sql_transaction kind,
                                      int64_t lock_timeout_ms, struct store_error *error)
{
    struct sqlite_store *store = sqlite_of(base);
    int64_t wait_ms = kind == SQL_MIGRATE ? lock_timeout_ms : BUSY_TIMEOUT_MS;
    sqlite3_busy_timeout(store->db, (int)(wait_ms > 0 && wait_ms < 86400000 ? wait_ms : 1));
    /* IMMEDIATE takes the write lock at once: a read that becomes a write could not wait for it. */
    enum store_result result =
        sqlite_script(base, kind == SQL_READ ? "BEGIN" : "BEGIN IMMEDIATE", error);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    return result;
}

static enum store_result sqlite_commit(struct sql_store *base, struct store_error *error)
{
    return sqlite_script(base, "COMMIT", error);
}

static void sqlite_rollback(struct sql_store *base)
{
    struct sqlite_store *store = sqlite_of(base);
    if (!sqlite3_get_autocommit(store->db)) /* some failures have rolled back already */
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ------------------------------------------------------------ open and close */

static void sqlite_close(struct sql_store *base)
{
    struct sqlite_store *store = sqlite_of(base);
    drop_statements(store);
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}

static const struct sql_driver sqlite_driver = {
    .dialect = SQL_SQLITE,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .run = sqlite_run,
    .script = sqlite_script,
};

static bool is_wal(void *context, const struct slice *values, size_t count)
{
    *(bool *)context = count == 1 && slice_eq(values[0], SLICE("wal"));
    return false;
}

/* Two processes that open a new file at once: the change to WAL does not use the busy timeout. */
static enum store_result switch_to_wal(struct sqlite_store *store, struct store_error *error)
{
    int64_t deadline_ms = clock_now_ms() + BUSY_TIMEOUT_MS;
    for (;;) {
        bool is_on = false;
        struct sql_statement pragma = {
            .sql = "PRAGMA journal_mode = WAL", .on_row = is_wal, .context = &is_on};
        enum store_result result = sqlite_run(&store->sql, &pragma, error);
        if (result == STORE_OK && is_on)
            return STORE_OK;
        if (result == STORE_OK)
            return store_error_set(
                error, STORE_FAILED,
                "SQLite database %s: its file system has no shared memory, which "
                "write-ahead logging needs; set sqlite_path to a local disk",
                store->path);
        if (result != STORE_UNAVAILABLE || clock_now_ms() >= deadline_ms)
            return result;
        struct timespec pause = {.tv_nsec = WAL_RETRY_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
}

static enum store_result open_file(struct sqlite_store *store, struct store_error *error)
{
    int fd = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return store_error_set(error, STORE_FAILED,
                               "SQLite database %s cannot be opened for writing: %s; check the "
                               "directory, its owner and sqlite_path",
                               store->path, strerror(errno));
    close(fd);
    int code =
        sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (store->db == NULL)
        return store_error_memory(error);
    sqlite3_extended_result_codes(store->db, 1);
    if (code != SQLITE_OK)
        return fail(store, code, error);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    enum store_result result = switch_to_wal(store, error);
    if (result != STORE_OK)
        return result;
    return sqlite_script(&store->sql, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", error);
}

struct store *store_sqlite_open(const struct options *options, struct log *log,
                                struct store_error *error)
{
    struct sqlite_store *store = calloc(1, sizeof(*store));
    if (store == NULL || options->sqlite_path == NULL) {
        store_error_set(error, STORE_FAILED,
                        store == NULL ? "out of memory" : "sqlite_path is not set");
        free(store);
        return NULL;
    }
    store->sql.base = (struct store){.ops = &store_sql_sqlite_ops, .log = log};
    store->sql.driver = &sqlite_driver;
    store->path = strdup(options->sqlite_path);
    enum store_result result =
        store->path == NULL ? store_error_memory(error) : open_file(store, error);
    if (result == STORE_OK)
        return &store->sql.base;
    sqlite_close(&store->sql);
    return NULL;
}
