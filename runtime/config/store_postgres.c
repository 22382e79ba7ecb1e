/* SPDX-License-Identifier: Apache-2.0 */
/* store_postgres.c -- the PostgreSQL driver: one connection, every wait with a deadline.
 *
 * libpq is used without its blocking calls: a server that hangs must end in STORE_UNAVAILABLE after
 * pg_timeout, not hold the admin thread. A connection whose answer did not come in time is dropped,
 * because the answer may still come.
 *
 * A dead connection is replaced once and the statement sent again, but only outside a transaction.
 * There only reads and BEGIN are sent, so nothing can happen twice. */
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/options.h"
#include "config/store_sql.h"

enum {
    VALUES_MAX = 80, /* columns of a result, and parameters: SQL_PARAMS_MAX */
    WHERE_BYTES = 192,
    IDLE_FACTOR = 4, /* a node that stops in a transaction loses its locks after so many timeouts */
};

/* "sluice" in ASCII; one lock for all migrations of a database. */
#define MIGRATION_LOCK "126978999706469"
#define CA_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

struct postgres_store {
    struct sql_store sql;
    PGconn *conn; /* NULL: the next statement connects */
    char *host, *port, *database, *user, *password, *schema, *ssl_mode, *ca_file;
    char where[WHERE_BYTES]; /* how errors name the server */
    int64_t timeout_ms;
    int64_t deadline_ms; /* of what is being done now */
    enum sql_transaction transaction;
};

enum link { LINK_OK, LINK_DEAD, LINK_LATE };

static struct postgres_store *postgres_of(struct sql_store *store)
{
    return (struct postgres_store *)store;
}

static void drop_connection(struct postgres_store *store)
{
    PQfinish(store->conn);
    store->conn = NULL;
}

/* ------------------------------------------------------------ waiting */

static enum link wait_for(const struct postgres_store *store, short events)
{
    for (;;) {
        int64_t left_ms = store->deadline_ms - clock_now_ms();
        struct pollfd socket = {.fd = PQsocket(store->conn), .events = events};
        if (socket.fd < 0)
            return LINK_DEAD;
        if (left_ms <= 0)
            return LINK_LATE;
        int ready = poll(&socket, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (ready > 0)
            return LINK_OK;
        if (ready < 0 && errno != EINTR)
            return LINK_DEAD;
    }
}

/* Sends what is left to send and reads until PQgetResult() will not block. */
static enum link pump(const struct postgres_store *store)
{
    for (;;) {
        int unsent = PQflush(store->conn);
        if (unsent < 0)
            return LINK_DEAD;
        if (unsent == 0 && !PQisBusy(store->conn))
            return LINK_OK;
        enum link link = wait_for(store, unsent > 0 ? POLLIN | POLLOUT : POLLIN);
        if (link != LINK_OK)
            return link;
        /* Harmless when only writing is possible: it reads what there is. */
        if (!PQconsumeInput(store->conn))
            return LINK_DEAD;
    }
}

/* One request and all its results. *result is the first that failed, else the last; the caller
 * clears it. */
static enum link exchange(const struct postgres_store *store, const char *sql,
                          const struct slice *params, size_t param_count, PGresult **result)
{
    const char *values[VALUES_MAX];
    *result = NULL;
    for (size_t i = 0; i < param_count && i < VALUES_MAX; i++)
        values[i] = params[i].ptr;
    /* Only the protocol without parameters takes several statements. */
    int is_sent = param_count == 0 ? PQsendQuery(store->conn, sql)
                                   : PQsendQueryParams(store->conn, sql, (int)param_count, NULL,
                                                       values, NULL, NULL, 0);
    if (!is_sent)
        return LINK_DEAD;
    bool has_failed = false;
    for (;;) {
        enum link link = pump(store);
        if (link != LINK_OK)
            return link;
        PGresult *next = PQgetResult(store->conn);
        if (next == NULL)
            break;
        if (has_failed) {
            PQclear(next);
            continue;
        }
        PQclear(*result);
        *result = next;
        ExecStatusType status = PQresultStatus(next);
        has_failed = status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
    }
    return PQstatus(store->conn) == CONNECTION_BAD ? LINK_DEAD : LINK_OK;
}

/* ------------------------------------------------------------ errors */

/* What libpq says about a lost or refused connection: "connection to server at ... failed: FATAL:
 * 28P01: text" and more lines. Its last reason, and the SQLSTATE if the server gave one. */
static void connection_reason(const PGconn *conn, char state[6], char *reason, size_t bytes)
{
    const char *message = PQerrorMessage(conn), *next;
    while ((next = strstr(message, "failed: ")) != NULL)
        message = next + strlen("failed: ");
    state[0] = '\0';
    /* The word before the code ("FATAL") may be translated. */
    const char *code = strstr(message, ":  ");
    if (code != NULL && strlen(code) > 9 && code[8] == ':' && code[9] == ' ' &&
        strcspn(message, "\n") > (size_t)(code - message)) {
        memcpy(state, code + 3, 5);
        state[5] = '\0';
        message = code + 10;
    }
    snprintf(reason, bytes, "%.*s", (int)strcspn(message, "\n"), message);
}

static const char *connection_advice(const char *state, const char *reason)
{
    if (strcmp(state, "28P01") == 0 || strcmp(state, "28000") == 0)
        return "check pg_user and pg_password, and the server's pg_hba.conf";
    if (strcmp(state, "3D000") == 0)
        return "create the database or check pg_database";
    if (strncmp(state, "53", 2) == 0)
        return "the server is at its limit: raise max_connections or try again";
    if (strncmp(state, "57", 2) == 0)
        return "the server starts or stops: try again";
    if (strstr(reason, "no password") != NULL)
        return "set pg_password";
    if (strstr(reason, "SSL") != NULL || strstr(reason, "certificate") != NULL)
        return "check pg_ssl and pg_ssl_verify";
    return "check pg_host and pg_port, and that the server runs";
}

static enum store_result fail_link(struct postgres_store *store, enum link link,
                                   struct store_error *error)
{
    char state[6], reason[256];
    if (link == LINK_LATE) {
        store_error_set(
            error, STORE_UNAVAILABLE,
            "PostgreSQL at %s: no answer within %lld ms; check pg_host, pg_port and the "
            "load of the server, or raise pg_timeout",
            store->where, (long long)store->timeout_ms);
    } else {
        connection_reason(store->conn, state, reason, sizeof(reason));
        store_error_set(error, STORE_UNAVAILABLE, "PostgreSQL at %s: %s; %s", store->where,
                        reason[0] == '\0' ? "connection lost" : reason,
                        connection_advice(state, reason));
    }
    drop_connection(store);
    return STORE_UNAVAILABLE;
}

static void copy_name(char out[SQL_NAME_BYTES], const char *name)
{
    snprintf(out, SQL_NAME_BYTES, "%s", name == NULL ? "" : name);
}

/* Constraints have PostgreSQL's own names: <table>_<column>_key, <table>_<column>_fkey. */
static void note_clash(struct sql_clash *clash, const PGresult *result)
{
    copy_name(clash->table, PQresultErrorField(result, PG_DIAG_TABLE_NAME));
    copy_name(clash->column, PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    size_t prefix = strlen(clash->table);
    char *suffix = strrchr(clash->column, '_');
    if (strncmp(clash->column, clash->table, prefix) == 0 && clash->column[prefix] == '_' &&
        suffix > clash->column + prefix) {
        *suffix = '\0';
        memmove(clash->column, clash->column + prefix + 1, strlen(clash->column + prefix + 1) + 1);
    }
}

static bool is_transient(const char *state)
{
    static const char *const states[] = {
        "57014",                            /* statement_timeout */
        "55P03",                            /* lock_timeout */
        "40001", "40P01",                   /* serialisation, deadlock */
        "57P01", "57P02", "57P03", "57P05", /* shutdown, crash, starting, idle session */
        "25P03",                            /* idle in a transaction */
    };
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (strcmp(state, states[i]) == 0)
            return true;
    return strncmp(state, "08", 2) == 0 || strncmp(state, "53", 2) == 0;
}

static enum store_result fail_result(struct postgres_store *store, const PGresult *result,
                                     struct store_error *error)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const char *advice = "";
    enum store_result kind = STORE_FAILED;
    if (state == NULL)
        state = "";
    if (message == NULL)
        message = PQresultErrorMessage(result);
    if (strcmp(state, "23505") == 0) {
        note_clash(&store->sql.clash, result);
        bool is_primary = constraint != NULL && strlen(constraint) > 5 &&
                          strcmp(constraint + strlen(constraint) - 5, "_pkey") == 0;
        kind = is_primary ? STORE_PRIMARY : STORE_UNIQUE;
    } else if (strcmp(state, "23503") == 0) {
        note_clash(&store->sql.clash, result);
        kind = STORE_FOREIGN;
    } else if (strcmp(state, "42P01") == 0) {
        advice = "; the schema is not up to date. Run 'sluice migrations bootstrap'";
    } else if (strcmp(state, "42703") == 0) {
        advice = "; the schema is not up to date. Run 'sluice migrations up'";
    } else if (strcmp(state, "42501") == 0) {
        advice = "; grant pg_user the right, or check pg_user and pg_schema";
    } else if (strcmp(state, "25006") == 0) {
        advice = "; pg_host names a server that takes no writes (a standby)";
    } else if (strcmp(state, "42P07") == 0) {
        advice = "; name another database (pg_database) or schema (pg_schema)";
    } else if (is_transient(state)) {
        advice = "; try again";
        kind = STORE_UNAVAILABLE;
    }
    return store_error_set(error, kind, "PostgreSQL at %s: %s%s", store->where, message, advice);
}

/* ------------------------------------------------------------ connecting */

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static enum link start_connection(struct postgres_store *store)
{
    const char *const names[] = {"host",
                                 "port",
                                 "dbname",
                                 "user",
                                 "password",
                                 "sslmode",
                                 "sslrootcert",
                                 "client_encoding",
                                 "application_name",
                                 NULL};
    const char *const values[] = {
        store->host,     store->port,    store->database, store->user, store->password,
        store->ssl_mode, store->ca_file, "UTF8",          "sluice",    NULL};
    store->conn = PQconnectStartParams(names, values, 0);
    if (store->conn == NULL || PQstatus(store->conn) == CONNECTION_BAD)
        return LINK_DEAD;
    PQsetErrorVerbosity(store->conn, PQERRORS_VERBOSE); /* for the SQLSTATE in the message */
    PQsetNoticeProcessor(store->conn, ignore_notice, NULL);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED)
            return LINK_DEAD;
        enum link link = wait_for(store, next == PGRES_POLLING_READING ? POLLIN : POLLOUT);
        if (link != LINK_OK)
            return link;
        next = PQconnectPoll(store->conn);
    }
    return PQsetnonblocking(store->conn, 1) == 0 ? LINK_OK : LINK_DEAD;
}

/* What every statement of the connection relies on. The server gives up a little before we do, so
 * that the connection survives a slow statement. */
static enum store_result set_up_session(struct postgres_store *store, struct store_error *error)
{
    char sql[512];
    char *schema = store->schema == NULL
                       ? NULL
                       : PQescapeIdentifier(store->conn, store->schema, strlen(store->schema));
    snprintf(sql, sizeof(sql),
             "SET statement_timeout = %lld; SET idle_in_transaction_session_timeout = %lld%s%s",
             (long long)(store->timeout_ms - store->timeout_ms / 10),
             (long long)(store->timeout_ms * IDLE_FACTOR),
             schema == NULL ? "" : "; SET search_path TO ", schema == NULL ? "" : schema);
    PQfreemem(schema);
    PGresult *result;
    enum link link = exchange(store, sql, NULL, 0, &result);
    enum store_result outcome = STORE_OK;
    if (link != LINK_OK)
        outcome = fail_link(store, link, error);
    else if (PQresultStatus(result) != PGRES_COMMAND_OK)
        outcome = fail_result(store, result, error);
    PQclear(result);
    if (outcome != STORE_OK)
        drop_connection(store);
    return outcome;
}

static enum store_result connect_now(struct postgres_store *store, struct store_error *error)
{
    enum link link = start_connection(store);
    if (store->conn == NULL)
        return store_error_memory(error);
    if (link != LINK_OK)
        return fail_link(store, link, error);
    return set_up_session(store, error);
}

/* ------------------------------------------------------------ statements */

static void pass_rows(const PGresult *result, const struct sql_statement *to)
{
    int columns = PQnfields(result);
    if (to->on_row == NULL || columns > VALUES_MAX)
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        struct slice values[VALUES_MAX];
        for (int i = 0; i < columns; i++)
            values[i] =
                PQgetisnull(result, row, i)
                    ? (struct slice){NULL, 0}
                    : slice_make(PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i));
        if (!to->on_row(to->context, values, (size_t)columns))
            return;
    }
}

/* Sends on the connection, or on a new one as the head of this file says. */
static enum store_result execute(struct postgres_store *store, struct sql_statement *statement,
                                 struct store_error *error)
{
    bool is_outside = store->transaction == SQL_NONE;
    bool may_send_again = is_outside && store->conn != NULL;
    PGresult *result = NULL;
    enum store_result outcome = STORE_OK;
    if (statement->param_count > VALUES_MAX)
        return store_error_set(error, STORE_FAILED, "too many parameters in a statement");
    if (store->conn == NULL && !is_outside)
        return store_error_set(
            error, STORE_UNAVAILABLE,
            "PostgreSQL at %s: the connection was lost in a transaction; try again", store->where);
    if (store->conn == NULL)
        outcome = connect_now(store, error);
    if (outcome != STORE_OK)
        return outcome;
    enum link link =
        exchange(store, statement->sql, statement->params, statement->param_count, &result);
    if (link == LINK_DEAD && may_send_again) {
        PQclear(result);
        result = NULL;
        log_write(store->sql.base.log, LOG_LEVEL_WARN,
                  "PostgreSQL at %s: the connection was lost and is opened again", store->where);
        drop_connection(store);
        outcome = connect_now(store, error);
        if (outcome != STORE_OK)
            return outcome;
        link = exchange(store, statement->sql, statement->params, statement->param_count, &result);
    }
    if (link != LINK_OK) {
        PQclear(result);
        return fail_link(store, link, error);
    }
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        statement->affected = strtoll(PQcmdTuples(result), NULL, 10);
        pass_rows(result, statement);
    } else {
        outcome = fail_result(store, result, error);
    }
    PQclear(result);
    return outcome;
}

static enum store_result postgres_run(struct sql_store *base, struct sql_statement *statement,
                                      struct store_error *error)
{
    struct postgres_store *store = postgres_of(base);
    /* A write has one deadline from its BEGIN on; reads have one each. */
    if (store->transaction == SQL_NONE || store->transaction == SQL_READ)
        store->deadline_ms = clock_now_ms() + store->timeout_ms;
    return execute(store, statement, error);
}

static enum store_result postgres_script(struct sql_store *base, const char *sql,
                                         struct store_error *error)
{
    struct sql_statement statement = {.sql = sql};
    return postgres_run(base, &statement, error);
}

/* ------------------------------------------------------------ transactions */

static void postgres_rollback(struct sql_store *base)
{
    struct postgres_store *store = postgres_of(base);
    struct sql_statement rollback = {.sql = "ROLLBACK"};
    struct store_error ignored = {0};
    store->deadline_ms = clock_now_ms() + store->timeout_ms;
    /* A connection that cannot even do this must not carry the transaction into the next write. */
    if (store->conn != NULL && PQtransactionStatus(store->conn) != PQTRANS_IDLE &&
        execute(store, &rollback, &ignored) != STORE_OK)
        drop_connection(store);
    store->transaction = SQL_NONE;
}

static bool note_row(void *context, const struct slice *values, size_t count)
{
    (void)values;
    *(bool *)context = count > 0;
    return false;
}

/* CREATE SCHEMA IF NOT EXISTS would ask for a right that is not needed when it exists. */
static enum store_result make_schema(struct postgres_store *store, struct store_error *error)
{
    bool is_there = store->schema == NULL;
    struct slice params[] = {slice_of(store->schema)};
    struct sql_statement look = {.sql = "SELECT 1 FROM pg_namespace WHERE nspname = $1",
                                 .params = params,
                                 .param_count = 1,
                                 .on_row = note_row,
                                 .context = &is_there};
    enum store_result result = is_there ? STORE_OK : execute(store, &look, error);
    if (result != STORE_OK || is_there)
        return result;
    char *name = PQescapeIdentifier(store->conn, store->schema, strlen(store->schema));
    char sql[256];
    snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", name == NULL ? "" : name);
    PQfreemem(name);
    struct sql_statement create = {.sql = sql};
    return execute(store, &create, error);
}

static enum store_result postgres_begin(struct sql_store *base, enum sql_transaction kind,
                                        int64_t lock_timeout_ms, struct store_error *error)
{
    struct postgres_store *store = postgres_of(base);
    char migrate[256];
    struct sql_statement begin = {.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
    int64_t wait_ms = lock_timeout_ms < 1 ? 1 : lock_timeout_ms;
    store->deadline_ms = clock_now_ms() + store->timeout_ms;
    if (kind == SQL_WRITE) {
        /* The counter's lock first, before any row's: writers queue here and cannot deadlock. */
        begin.sql = "BEGIN; SELECT seq FROM config_version FOR UPDATE";
    } else if (kind == SQL_MIGRATE) {
        snprintf(migrate, sizeof(migrate),
                 "BEGIN; SET LOCAL lock_timeout = %lld; SET LOCAL statement_timeout = 0; "
                 "SELECT pg_advisory_xact_lock(" MIGRATION_LOCK ")",
                 (long long)wait_ms);
        begin.sql = migrate;
        store->deadline_ms += wait_ms;
    }
    enum store_result result = execute(store, &begin, error);
    store->transaction = kind;
    if (result == STORE_OK && kind == SQL_MIGRATE) {
        store->deadline_ms = clock_now_ms() + SQL_MIGRATION_TIMEOUT_MS;
        result = make_schema(store, error);
    }
    if (result != STORE_OK)
        postgres_rollback(base);
    return result;
}

static enum store_result postgres_commit(struct sql_store *base, struct store_error *error)
{
    struct postgres_store *store = postgres_of(base);
    struct sql_statement commit = {.sql = "COMMIT"};
    enum store_result result = execute(store, &commit, error);
    if (result == STORE_OK)
        store->transaction = SQL_NONE;
    else if (store->conn == NULL)
        store_error_set(error, STORE_UNAVAILABLE,
                        "PostgreSQL at %s: the connection was lost while a write was being "
                        "committed; it may or may not have been stored",
                        store->where);
    return result;
}

/* ------------------------------------------------------------ open and close */

static void postgres_close(struct sql_store *base)
{
    struct postgres_store *store = postgres_of(base);
    drop_connection(store);
    free(store->host);
    free(store->port);
    free(store->database);
    free(store->user);
    if (store->password != NULL)
        explicit_bzero(store->password, strlen(store->password));
    free(store->password);
    free(store->schema);
    free(store->ssl_mode);
    free(store->ca_file);
    free(store);
}

static const struct sql_driver postgres_driver = {
    .dialect = SQL_POSTGRES,
    .close = postgres_close,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .run = postgres_run,
    .script = postgres_script,
};

/* A copy; NULL for NULL and for an empty text, which both mean "not set". */
static char *copy_set(const char *text, bool *has_failed)
{
    if (text == NULL || text[0] == '\0')
        return NULL;
    char *copy = strdup(text);
    *has_failed |= copy == NULL;
    return copy;
}

/* False when out of memory. */
static bool copy_options(struct postgres_store *store, const struct options *options)
{
    bool has_failed = false;
    char port[16];
    const char *trusted = options->lua_ssl_trusted_certificate;
    snprintf(port, sizeof(port), "%d", options->pg.port);
    store->host = copy_set(options->pg.host, &has_failed);
    store->port = copy_set(port, &has_failed);
    store->database = copy_set(options->pg.database, &has_failed);
    store->user = copy_set(options->pg.user, &has_failed);
    store->password = copy_set(options->pg.password, &has_failed);
    store->schema = copy_set(options->pg.schema, &has_failed);
    store->ssl_mode = copy_set(options->pg.ssl_mode, &has_failed);
    if (store->ssl_mode != NULL && strncmp(store->ssl_mode, "verify", 6) == 0)
        store->ca_file =
            copy_set(trusted != NULL && trusted[0] == '/' ? trusted : CA_BUNDLE, &has_failed);
    store->timeout_ms = options->pg.timeout_ms < 1 ? 1 : options->pg.timeout_ms;
    snprintf(store->where, sizeof(store->where), "%s:%s, user \"%s\", database \"%s\"",
             store->host == NULL ? "(local)" : store->host, port,
             store->user == NULL ? "(default)" : store->user,
             store->database == NULL ? "(default)" : store->database);
    return !has_failed;
}

struct store *store_postgres_open(const struct options *options, struct log *log,
                                  struct store_error *error)
{
    struct postgres_store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        store_error_memory(error);
        return NULL;
    }
    store->sql.base = (struct store){.ops = &store_sql_postgres_ops, .log = log};
    store->sql.driver = &postgres_driver;
    enum store_result result = STORE_OK;
    if (!copy_options(store, options))
        result = store_error_memory(error);
    store->deadline_ms = clock_now_ms() + store->timeout_ms;
    if (result == STORE_OK)
        result = connect_now(store, error);
    if (result == STORE_OK)
        return &store->sql.base;
    postgres_close(&store->sql);
    return NULL;
}
