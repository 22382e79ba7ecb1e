/* SPDX-License-Identifier: Apache-2.0 */
/* store_fixture.h -- rows, and stores of every kind made anew for each test; shared by the tests of
 * the stores.
 *
 * PostgreSQL takes part when SLUICE_TEST_PG holds a connection string ("host=... port=... user=...
 * dbname=..."); each test program works in a schema of its own there. */
#ifndef SLUICE_SPEC_STORE_FIXTURE_H
#define SLUICE_SPEC_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"
#include "config/schema.h"
#include "config/store.h"

enum { DEADLINE_MS = 5000, PG_TIMEOUT_MS = 3000 };

/* What a test works with; made anew for each. */
struct fixture {
    struct options options;
    struct store *store;
    struct store_error error;
    json_t *memory; /* memory store: what put() has collected */
    char directory[64];
    char path[96];
};

/* The kind under test, given to each test as its initial state. */
struct kind {
    const char *database;
    PQconninfoOption *pg;
    char schema[40];
};

#define EXPECT(expected, call)                                                                     \
    do {                                                                                           \
        enum store_result result_ = (call);                                                        \
        if (result_ != (expected))                                                                 \
            fail_msg("%s gave %d, expected %s: %s", #call, (int)result_, #expected,                \
                     f->error.text);                                                               \
    } while (0)

#define SERVICE_1 "00000000-0000-4000-8000-000000000001"
#define SERVICE_2 "00000000-0000-4000-8000-000000000002"
#define SERVICE_3 "00000000-0000-4000-8000-000000000003"
#define ROUTE_1 "10000000-0000-4000-8000-000000000001"
#define CONSUMER_1 "20000000-0000-4000-8000-000000000001"
#define PLUGIN_1 "30000000-0000-4000-8000-000000000001"
#define PLUGIN_2 "30000000-0000-4000-8000-000000000002"
#define KEY_1 "40000000-0000-4000-8000-000000000001"
#define KEY_2 "40000000-0000-4000-8000-000000000002"

static const struct schema *find(const char *name)
{
    const struct schema *schema = schema_find(name);
    assert_non_null(schema);
    return schema;
}

/* ------------------------------------------------------------ rows */

/* A complete row: every field that `text` does not set is null. */
static inline json_t *row_of(const char *entity, const char *text)
{
    json_error_t where;
    json_t *given = json_loads(text, 0, &where);
    if (given == NULL)
        fail_msg("bad row in the test: %s: %s", where.text, text);
    const struct schema *schema = find(entity);
    for (size_t i = 0; i < schema->record.field_count; i++) {
        const struct schema_field *field = &schema->record.fields[i];
        if (!field->is_write_only && json_object_get(given, field->name) == NULL)
            json_object_set_new(given, field->name, json_null());
    }
    if (schema->has_ttl && json_object_get(given, "ttl") == NULL)
        json_object_set_new(given, "ttl", json_null());
    return given;
}

static inline json_t *service_row(const char *id, const char *name, const char *tags)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "{\"id\":\"%s\",\"name\":%s%s%s,\"protocol\":\"http\",\"host\":\"a.test\",\"port\":80,"
             "\"path\":\"/x\",\"retries\":5,\"connect_timeout\":60000,\"write_timeout\":60000,"
             "\"read_timeout\":60000,\"enabled\":true,\"created_at\":1700000000,"
             "\"updated_at\":1700000001,\"tags\":%s}",
             id, name == NULL ? "" : "\"", name == NULL ? "null" : name, name == NULL ? "" : "\"",
             tags);
    return row_of("services", text);
}

static inline json_t *route_row(const char *id, const char *service_id)
{
    char text[1024];
    snprintf(
        text, sizeof(text),
        "{\"id\":\"%s\",\"name\":\"r\",\"protocols\":[\"http\",\"https\"],"
        "\"methods\":[\"GET\"],\"hosts\":[],"
        "\"paths\":[\"/a \\\"quoted\\\" \\\\ back,slash {}\",\"~/\\u00e9+NULL\",\"NULL\",\"\"],"
        "\"headers\":{\"x-b\":[\"1\",\"2\"],\"X-A\":[\"~*^v\"]},"
        "\"https_redirect_status_code\":426,\"regex_priority\":9007199254740993,"
        "\"strip_path\":true,\"path_handling\":\"v0\",\"preserve_host\":false,"
        "\"request_buffering\":true,\"response_buffering\":true,"
        "\"sources\":[{\"ip\":\"10.0.0.0/8\",\"port\":null}],\"service\":{\"id\":\"%s\"}}",
        id, service_id);
    return row_of("routes", text);
}

static inline json_t *consumer_row(const char *id, const char *username)
{
    char text[256];
    snprintf(text, sizeof(text), "{\"id\":\"%s\",\"username\":\"%s\",\"tags\":[]}", id, username);
    return row_of("consumers", text);
}

static inline json_t *plugin_row(const char *id, const char *service_id)
{
    char text[1024], service[128] = "null";
    if (service_id != NULL)
        snprintf(service, sizeof(service), "{\"id\":\"%s\"}", service_id);
    snprintf(text, sizeof(text),
             "{\"id\":\"%s\",\"name\":\"rate-limiting\",\"service\":%s,\"enabled\":true,"
             "\"protocols\":[\"http\"],\"config\":{\"minute\":20,\"share\":0.5,\"whole\":2.0,"
             "\"limits\":[1,null,{\"deep\":null}],\"redis\":{\"host\":null},\"hour\":null}}",
             id, service);
    return row_of("plugins", text);
}

static inline json_t *key_row(const char *id, const char *key, const char *ttl)
{
    char text[512];
    snprintf(text, sizeof(text),
             "{\"id\":\"%s\",\"consumer\":{\"id\":\"" CONSUMER_1 "\"},\"key\":\"%s\",\"ttl\":%s,"
             "\"created_at\":1700000000}",
             id, key, ttl);
    return row_of("keyauth_credentials", text);
}

/* Stores the row, which it takes: by insert, or by replacing everything in the memory store. */
static inline void put(struct fixture *f, const char *entity, json_t *row)
{
    if (f->memory == NULL) {
        EXPECT(STORE_OK, store_insert(f->store, find(entity), row, &f->error));
        json_decref(row);
        return;
    }
    if (json_object_get(f->memory, entity) == NULL)
        json_object_set_new(f->memory, entity, json_array());
    json_array_append_new(json_object_get(f->memory, entity), row);
    EXPECT(STORE_OK, store_replace_all(f->store, f->memory, &f->error));
}

static inline enum store_result
write_taken(struct fixture *f,
            enum store_result (*write)(struct store *, const struct schema *, const json_t *,
                                       struct store_error *),
            const char *entity, json_t *row)
{
    enum store_result result = write(f->store, find(entity), row, &f->error);
    json_decref(row);
    return result;
}

static inline enum store_result insert(struct fixture *f, const char *entity, json_t *row)
{
    return write_taken(f, store_insert, entity, row);
}

static inline enum store_result update(struct fixture *f, const char *entity, json_t *row)
{
    return write_taken(f, store_update, entity, row);
}

static inline enum store_result upsert(struct fixture *f, const char *entity, json_t *row)
{
    return write_taken(f, store_upsert, entity, row);
}

static inline enum store_result delete (struct fixture *f, const char *entity, const char *id) {
    return store_delete(f->store, find(entity), id, &f->error);
}

static inline void expect_json(json_t *actual, const char *expected)
{
    json_t *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);
    assert_non_null(wanted);
    char *text = json_dumps(actual, JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (!json_equal(wanted, actual))
        fail_msg("got %s, expected %s", text == NULL ? "nothing" : text, expected);
    free(text);
    json_decref(wanted);
}

static inline void expect_fields(struct fixture *f, const char *expected)
{
    expect_json(f->error.fields, expected);
    store_error_clear(&f->error);
}

/* The stored row is `expected`, which is taken. */
static inline void expect_stored(struct fixture *f, const char *entity, const char *id,
                                 json_t *expected)
{
    json_t *row = NULL;
    EXPECT(STORE_OK, store_select(f->store, find(entity), id, &row, &f->error));
    char *text = json_dumps(expected, JSON_SORT_KEYS);
    expect_json(row, text);
    free(text);
    json_decref(row);
    json_decref(expected);
}

/* Ids of a page, joined with spaces; only their last digit. */
static inline const char *page_ids(struct fixture *f, const struct store_page *page, bool *has_more,
                                   char out[64])
{
    json_t *rows = NULL;
    EXPECT(STORE_OK, store_list(f->store, find("services"), page, &rows, has_more, &f->error));
    size_t length = 0;
    for (size_t i = 0; i < json_array_size(rows) && length < 60; i++)
        out[length++] = json_string_value(json_object_get(json_array_get(rows, i), "id"))[35];
    out[length] = '\0';
    json_decref(rows);
    return out;
}

/* ------------------------------------------------------------ fixtures */

static inline const char *pg_value(const struct kind *kind, const char *keyword)
{
    for (const PQconninfoOption *o = kind->pg; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, keyword) == 0 && o->val != NULL)
            return o->val;
    return "";
}

static inline char *copy(const char *text)
{
    char *result = strdup(text);
    assert_non_null(result);
    return result;
}

static inline void fill_options(struct options *options, const struct kind *kind, const char *path)
{
    options->database = copy(kind->database);
    options->sqlite_path = copy(path);
    options->pg.host = copy(pg_value(kind, "host"));
    options->pg.port = atoi(pg_value(kind, "port"));
    options->pg.user = copy(pg_value(kind, "user"));
    options->pg.password = copy(pg_value(kind, "password"));
    options->pg.database = copy(pg_value(kind, "dbname"));
    options->pg.schema = copy(kind->schema);
    options->pg.ssl_mode = copy("disable");
    options->pg.timeout_ms = PG_TIMEOUT_MS;
}

static inline void clear_options(struct options *options)
{
    free(options->database);
    free(options->sqlite_path);
    free(options->pg.host);
    free(options->pg.user);
    free(options->pg.password);
    free(options->pg.database);
    free(options->pg.schema);
    free(options->pg.ssl_mode);
}

static inline int set_up_empty(void **state)
{
    const struct kind *kind = *state;
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->directory, sizeof(f->directory), "/tmp/sluice-store-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/sluice.db", f->directory);
    fill_options(&f->options, kind, f->path);
    if (strcmp(kind->database, "off") == 0)
        f->memory = json_object();
    f->store = store_open(&f->options, NULL, &f->error);
    if (f->store == NULL)
        fail_msg("%s", f->error.text);
    *state = f;
    return 0;
}

static inline int set_up(void **state)
{
    int applied;
    set_up_empty(state);
    struct fixture *f = *state;
    EXPECT(STORE_OK, store_migrate(f->store, DEADLINE_MS, &applied, &f->error));
    return 0;
}

static inline void remove_file(const struct fixture *f, const char *suffix)
{
    char name[128];
    snprintf(name, sizeof(name), "%s%s", f->path, suffix);
    unlink(name);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    store_error_clear(&f->error);
    if (f->store != NULL && strcmp(f->options.database, "postgres") == 0)
        EXPECT(STORE_OK, store_reset(f->store, &f->error));
    store_close(f->store);
    clear_options(&f->options);
    json_decref(f->memory);
    remove_file(f, "");
    remove_file(f, "-wal");
    remove_file(f, "-shm");
    rmdir(f->directory);
    free(f);
    return 0;
}

/* ------------------------------------------------------------ running */

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name, set_up, tear_down, NULL                                                       \
    }
#define TEST_EMPTY(name)                                                                           \
    {                                                                                              \
#name, name, set_up_empty, tear_down, NULL                                                 \
    }

/* Fills `kind` from SLUICE_TEST_PG. False: it is not set. */
static inline bool postgres_kind(struct kind *kind)
{
    const char *conninfo = getenv("SLUICE_TEST_PG");
    char *problem = NULL;
    *kind = (struct kind){.database = "postgres"};
    if (conninfo == NULL || conninfo[0] == '\0')
        return false;
    kind->pg = PQconninfoParse(conninfo, &problem);
    if (kind->pg == NULL) {
        fprintf(stderr, "SLUICE_TEST_PG: %s\n", problem);
        exit(1);
    }
    snprintf(kind->schema, sizeof(kind->schema), "sluice_test_%d", (int)getpid());
    return true;
}

static inline void postgres_kind_clear(struct kind *kind)
{
    char sql[128];
    PGconn *conn = PQconnectdb(getenv("SLUICE_TEST_PG"));
    snprintf(sql, sizeof(sql), "DROP SCHEMA IF EXISTS %s CASCADE", kind->schema);
    PQclear(PQexec(conn, sql));
    PQfinish(conn);
    PQconninfoFree(kind->pg);
}

/* Runs every test of the array `tests` against `kind`. */
#define RUN_TESTS(tests, kind) run_kind(#tests, tests, sizeof(tests) / sizeof(*(tests)), kind)

static inline int run_kind(const char *name, struct CMUnitTest *tests, size_t count,
                           struct kind *kind)
{
    char group[80];
    snprintf(group, sizeof(group), "%s: %s", kind->database, name);
    for (size_t i = 0; i < count; i++)
        tests[i].initial_state = kind;
    return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}

#endif
