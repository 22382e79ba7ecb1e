/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite_test.c -- what only the SQLite store does, and states of a database that are easiest
 * to make by hand in its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <sys/stat.h>

#include "store_fixture.h"

static void sqlite_exec(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void the_sqlite_file_is_private_to_its_owner(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void a_sqlite_database_that_cannot_be_opened_says_which_and_why(void **state)
{
    struct fixture *f = *state;
    struct options options = {.database = f->options.database};
    char path[128], text[] = "this is not a database, and longer than its header of 100 bytes, "
                             "so that it is looked at: .................................";
    snprintf(path, sizeof(path), "%s/none/sluice.db", f->directory);
    options.sqlite_path = path;
    assert_null(store_open(&options, NULL, &f->error));
    assert_non_null(strstr(f->error.text, path));
    assert_non_null(strstr(f->error.text, "No such file or directory"));
    snprintf(path, sizeof(path), "%s/garbage.db", f->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_null(store_open(&options, NULL, &f->error));
    assert_non_null(strstr(f->error.text, "not a database"));
    unlink(path);
}

static void the_change_log_is_pruned_by_age(void **state)
{
    struct fixture *f = *state;
    json_t *rows = NULL;
    int64_t latest;
    put(f, "consumers", consumer_row(CONSUMER_1, "alice"));
    sqlite_exec(f, "UPDATE config_changes SET at = at - 7200");
    for (int i = 0; i < 99; i++)
        EXPECT(STORE_OK, update(f, "consumers", consumer_row(CONSUMER_1, "alice")));
    EXPECT(STORE_OK, store_changes_since(f->store, 0, &rows, &latest, &f->error));
    assert_null(rows);
    assert_int_equal(latest, 100);
    EXPECT(STORE_OK, store_changes_since(f->store, 1, &rows, &latest, &f->error));
    assert_int_equal(json_array_size(rows), 99);
    json_decref(rows);
}

static void a_value_that_does_not_fit_its_column_is_an_error_not_a_crash(void **state)
{
    struct fixture *f = *state;
    json_t *row = NULL;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    sqlite_exec(f, "UPDATE services SET tags = '[broken'");
    EXPECT(STORE_FAILED, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    assert_non_null(strstr(f->error.text, "services.tags"));
    sqlite_exec(f, "UPDATE services SET tags = NULL, port = 'eighty'");
    EXPECT(STORE_FAILED, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    assert_non_null(strstr(f->error.text, "services.port"));
}

static void a_database_that_lacks_a_migration_is_behind_and_unknown_ones_are_reported(void **state)
{
    struct fixture *f = *state;
    enum store_state schema_state;
    json_t *status = NULL;
    sqlite_exec(f, "UPDATE schema_migrations SET name = '9999_newer'");
    EXPECT(STORE_OK, store_state_get(f->store, &schema_state, &f->error));
    assert_int_equal(schema_state, STORE_BEHIND);
    EXPECT(STORE_OK, store_migration_status(f->store, &status, &f->error));
    expect_json(status, "{\"executed\":[\"9999_newer\"],\"new\":[\"0001_core\"],"
                        "\"missing\":[\"9999_newer\"]}");
    json_decref(status);
}

static void a_migration_that_fails_is_named_and_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    enum store_state schema_state;
    int applied;
    sqlite_exec(f, "DROP TABLE schema_migrations");
    EXPECT(STORE_FAILED, store_migrate(f->store, DEADLINE_MS, &applied, &f->error));
    assert_int_equal(applied, 0);
    assert_non_null(strstr(f->error.text, "migration 0001_core: "));
    assert_non_null(strstr(f->error.text, "services"));
    EXPECT(STORE_OK, store_state_get(f->store, &schema_state, &f->error));
    assert_int_equal(schema_state, STORE_EMPTY);
}

int main(void)
{
    struct CMUnitTest sqlite_tests[] = {
        TEST(the_sqlite_file_is_private_to_its_owner),
        TEST(a_sqlite_database_that_cannot_be_opened_says_which_and_why),
        TEST(the_change_log_is_pruned_by_age),
        TEST(a_value_that_does_not_fit_its_column_is_an_error_not_a_crash),
        TEST(a_database_that_lacks_a_migration_is_behind_and_unknown_ones_are_reported),
        TEST(a_migration_that_fails_is_named_and_leaves_nothing_behind),
    };
    struct kind sqlite = {.database = "sqlite"};
    int failed = RUN_TESTS(sqlite_tests, &sqlite);
    schema_shutdown();
    return failed;
}
