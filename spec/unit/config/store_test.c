/* SPDX-License-Identifier: Apache-2.0 */
/* store_test.c -- what every kind of store promises, and what both SQL stores promise beyond that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "store_fixture.h"

/* ------------------------------------------------------------ what all stores promise */

static void a_row_comes_back_as_it_was_stored(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "one", "[\"a\",\"b\"]"));
    put(f, "consumers", consumer_row(CONSUMER_1, "alice"));
    put(f, "routes", route_row(ROUTE_1, SERVICE_1));
    put(f, "plugins", plugin_row(PLUGIN_1, SERVICE_1));
    put(f, "keyauth_credentials", key_row(KEY_1, "secret", "null"));
    expect_stored(f, "services", SERVICE_1, service_row(SERVICE_1, "one", "[\"a\",\"b\"]"));
    expect_stored(f, "consumers", CONSUMER_1, consumer_row(CONSUMER_1, "alice"));
    expect_stored(f, "routes", ROUTE_1, route_row(ROUTE_1, SERVICE_1));
    expect_stored(f, "plugins", PLUGIN_1, plugin_row(PLUGIN_1, SERVICE_1));
    expect_stored(f, "keyauth_credentials", KEY_1, key_row(KEY_1, "secret", "null"));
}

static void a_row_is_found_by_id_in_any_case_and_by_its_unique_fields(void **state)
{
    struct fixture *f = *state;
    const struct schema *services = find("services");
    json_t *row = NULL;
    put(f, "services", service_row("0000000a-0000-4000-8000-00000000000b", "one", "null"));
    EXPECT(STORE_OK, store_select(f->store, services, "0000000A-0000-4000-8000-00000000000B", &row,
                                  &f->error));
    json_decref(row);
    EXPECT(STORE_OK, store_select_by(f->store, services, "name", "one", &row, &f->error));
    assert_string_equal(json_string_value(json_object_get(row, "name")), "one");
    json_decref(row);
    EXPECT(STORE_NOT_FOUND, store_select_by(f->store, services, "name", "One", &row, &f->error));
    assert_null(row);
    EXPECT(STORE_NOT_FOUND, store_select(f->store, services, SERVICE_2, &row, &f->error));
    EXPECT(STORE_NOT_FOUND, store_select(f->store, services, "no uuid' OR 1=1", &row, &f->error));
}

static void pages_follow_each_other_in_order_of_id(void **state)
{
    struct fixture *f = *state;
    char ids[64];
    bool has_more;
    put(f, "services", service_row(SERVICE_3, "c", "null"));
    put(f, "services", service_row(SERVICE_1, "z", "null"));
    put(f, "services", service_row(SERVICE_2, "b", "null"));
    struct store_page page = {.limit = 2};
    assert_string_equal(page_ids(f, &page, &has_more, ids), "12");
    assert_true(has_more);
    page.after_id = SERVICE_2;
    assert_string_equal(page_ids(f, &page, &has_more, ids), "3");
    assert_false(has_more);
    page = (struct store_page){.limit = 3};
    assert_string_equal(page_ids(f, &page, &has_more, ids), "123");
    assert_false(has_more);
}

static void a_page_of_a_size_that_is_not_allowed_is_refused(void **state)
{
    struct fixture *f = *state;
    json_t *rows;
    bool has_more;
    struct store_page page = {.limit = 0};
    EXPECT(STORE_FAILED,
           store_list(f->store, find("services"), &page, &rows, &has_more, &f->error));
    page.limit = 1001;
    EXPECT(STORE_FAILED,
           store_list(f->store, find("services"), &page, &rows, &has_more, &f->error));
}

static void tags_filter_by_all_or_by_any(void **state)
{
    struct fixture *f = *state;
    char ids[64];
    bool has_more;
    const char *both[] = {"a", "b", NULL}, *odd[] = {"it's \"x\"", NULL}, *none[] = {NULL};
    put(f, "services", service_row(SERVICE_1, "1", "[\"a\",\"b\"]"));
    put(f, "services", service_row(SERVICE_2, "2", "[\"b\",\"it's \\\"x\\\"\"]"));
    put(f, "services", service_row(SERVICE_3, "3", "null"));
    struct store_page page = {.limit = 100, .tags = both};
    assert_string_equal(page_ids(f, &page, &has_more, ids), "1");
    page.is_any_tag = true;
    assert_string_equal(page_ids(f, &page, &has_more, ids), "12");
    page.tags = odd;
    assert_string_equal(page_ids(f, &page, &has_more, ids), "2");
    page.tags = none;
    assert_string_equal(page_ids(f, &page, &has_more, ids), "123");
}

static void children_are_listed_by_their_parent(void **state)
{
    struct fixture *f = *state;
    json_t *rows = NULL;
    bool has_more;
    put(f, "services", service_row(SERVICE_1, "1", "null"));
    put(f, "services", service_row(SERVICE_2, "2", "null"));
    put(f, "routes", route_row(ROUTE_1, SERVICE_1));
    struct store_page page = {.limit = 9, .foreign_field = "service", .foreign_id = SERVICE_1};
    EXPECT(STORE_OK, store_list(f->store, find("routes"), &page, &rows, &has_more, &f->error));
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
    page.foreign_id = SERVICE_2;
    EXPECT(STORE_OK, store_list(f->store, find("routes"), &page, &rows, &has_more, &f->error));
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
    page.foreign_id = "nonsense";
    EXPECT(STORE_OK, store_list(f->store, find("routes"), &page, &rows, &has_more, &f->error));
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
}

struct walk {
    struct fixture *f;
    int seen, limit;
};

static bool count_row(void *context, json_t *row)
{
    struct walk *walk = context;
    struct fixture *f = walk->f;
    json_t *same = NULL;
    const char *id = json_string_value(json_object_get(row, "id"));
    assert_int_equal(id[35] - '0', ++walk->seen); /* in order */
    EXPECT(STORE_OK, store_select(f->store, find("services"), id, &same, &f->error));
    json_decref(same);
    return walk->seen < walk->limit;
}

static void every_row_is_visited_in_order_until_the_visitor_has_enough(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_3, "3", "null"));
    put(f, "services", service_row(SERVICE_1, "1", "null"));
    put(f, "services", service_row(SERVICE_2, "2", "null"));
    struct walk all = {f, 0, 9}, two = {f, 0, 2};
    EXPECT(STORE_OK, store_each(f->store, find("services"), count_row, &all, &f->error));
    assert_int_equal(all.seen, 3);
    EXPECT(STORE_OK, store_each(f->store, find("services"), count_row, &two, &f->error));
    assert_int_equal(two.seen, 2);
}

static void a_ttl_comes_back_as_the_seconds_that_are_left(void **state)
{
    struct fixture *f = *state;
    json_t *row = NULL;
    put(f, "consumers", consumer_row(CONSUMER_1, "alice"));
    put(f, "keyauth_credentials", key_row(KEY_1, "secret", "100"));
    EXPECT(STORE_OK, store_select(f->store, find("keyauth_credentials"), KEY_1, &row, &f->error));
    json_int_t left_s = json_integer_value(json_object_get(row, "ttl"));
    assert_in_range(left_s, 90, 100);
    json_decref(row);
}

static void an_expired_row_is_invisible(void **state)
{
    struct fixture *f = *state;
    const struct schema *keys = find("keyauth_credentials");
    json_t *row = NULL;
    struct store_page page = {.limit = 9};
    bool has_more;
    put(f, "consumers", consumer_row(CONSUMER_1, "alice"));
    put(f, "keyauth_credentials", key_row(KEY_1, "secret", "0.05"));
    int64_t deadline_ms = clock_now_ms() + DEADLINE_MS;
    enum store_result result;
    while ((result = store_select(f->store, keys, KEY_1, &row, &f->error)) == STORE_OK &&
           clock_now_ms() < deadline_ms)
        json_decref(row);
    EXPECT(STORE_NOT_FOUND, result);
    EXPECT(STORE_NOT_FOUND, store_select_by(f->store, keys, "key", "secret", &row, &f->error));
    EXPECT(STORE_OK, store_list(f->store, keys, &page, &row, &has_more, &f->error));
    assert_int_equal(json_array_size(row), 0);
    json_decref(row);
}

static void a_consistent_read_can_be_begun_and_ended(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "1", "null"));
    EXPECT(STORE_OK, store_read_begin(f->store, &f->error));
    struct walk all = {f, 0, 9};
    EXPECT(STORE_OK, store_each(f->store, find("services"), count_row, &all, &f->error));
    store_read_end(f->store);
    put(f, "services", service_row(SERVICE_2, "2", "null"));
}

/* ------------------------------------------------------------ what SQL stores promise */

static void the_state_goes_from_empty_to_ready_and_migrating_again_does_nothing(void **state)
{
    struct fixture *f = *state;
    enum store_state schema_state;
    int applied = -1;
    json_t *status = NULL;
    EXPECT(STORE_OK, store_state_get(f->store, &schema_state, &f->error));
    assert_int_equal(schema_state, STORE_EMPTY);
    EXPECT(STORE_OK, store_migration_status(f->store, &status, &f->error));
    expect_json(status, "{\"executed\":[],\"new\":[\"0001_core\"],\"missing\":[]}");
    json_decref(status);
    EXPECT(STORE_OK, store_migrate(f->store, DEADLINE_MS, &applied, &f->error));
    assert_int_equal(applied, 1);
    EXPECT(STORE_OK, store_migrate(f->store, DEADLINE_MS, &applied, &f->error));
    assert_int_equal(applied, 0);
    EXPECT(STORE_OK, store_state_get(f->store, &schema_state, &f->error));
    assert_int_equal(schema_state, STORE_READY);
    EXPECT(STORE_OK, store_migration_status(f->store, &status, &f->error));
    expect_json(status, "{\"executed\":[\"0001_core\"],\"new\":[],\"missing\":[]}");
    json_decref(status);
}

static void before_the_bootstrap_errors_say_what_to_run(void **state)
{
    struct fixture *f = *state;
    json_t *row = NULL;
    EXPECT(STORE_FAILED, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    assert_non_null(strstr(f->error.text, "Run 'sluice migrations bootstrap'"));
    assert_null(strchr(f->error.text, '\n'));
    EXPECT(STORE_FAILED, insert(f, "services", service_row(SERVICE_1, "one", "null")));
    assert_non_null(strstr(f->error.text, "Run 'sluice migrations bootstrap'"));
}

static void a_reset_leaves_an_empty_database_that_can_be_bootstrapped_again(void **state)
{
    struct fixture *f = *state;
    enum store_state schema_state;
    int applied;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    EXPECT(STORE_OK, store_reset(f->store, &f->error));
    EXPECT(STORE_OK, store_state_get(f->store, &schema_state, &f->error));
    assert_int_equal(schema_state, STORE_EMPTY);
    EXPECT(STORE_OK, store_migrate(f->store, DEADLINE_MS, &applied, &f->error));
    put(f, "services", service_row(SERVICE_1, "one", "null"));
}

struct node {
    const struct options *options;
    enum store_result result;
    int applied;
    struct store_error error;
};

static void *bootstrap_node(void *argument)
{
    struct node *node = argument;
    struct store *store = store_open(node->options, NULL, &node->error);
    node->result = store == NULL ? STORE_UNAVAILABLE
                                 : store_migrate(store, DEADLINE_MS, &node->applied, &node->error);
    store_close(store);
    return NULL;
}

static void two_nodes_can_bootstrap_at_once(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 3; round++) {
        struct node nodes[2] = {{.options = &f->options}, {.options = &f->options}};
        pthread_t threads[2];
        EXPECT(STORE_OK, store_reset(f->store, &f->error));
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, bootstrap_node, &nodes[i]), 0);
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            if (nodes[i].result != STORE_OK)
                fail_msg("%s", nodes[i].error.text);
        }
        assert_int_equal(nodes[0].applied + nodes[1].applied, 1);
    }
}

static void an_update_replaces_the_whole_row(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "one", "[\"a\"]"));
    EXPECT(STORE_OK, update(f, "services", service_row(SERVICE_1, "two", "null")));
    expect_stored(f, "services", SERVICE_1, service_row(SERVICE_1, "two", "null"));
    EXPECT(STORE_NOT_FOUND, update(f, "services", service_row(SERVICE_2, "x", "null")));
}

static void an_upsert_inserts_or_replaces(void **state)
{
    struct fixture *f = *state;
    EXPECT(STORE_OK, upsert(f, "services", service_row(SERVICE_1, "one", "null")));
    EXPECT(STORE_OK, upsert(f, "services", service_row(SERVICE_1, "two", "null")));
    expect_stored(f, "services", SERVICE_1, service_row(SERVICE_1, "two", "null"));
    EXPECT(STORE_OK, upsert(f, "services", service_row(SERVICE_2, "one", "null")));
    EXPECT(STORE_UNIQUE, upsert(f, "services", service_row(SERVICE_2, "two", "null")));
    expect_fields(f, "{\"name\":\"two\"}");
}

static void a_taken_name_is_a_unique_violation_that_names_the_key(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    EXPECT(STORE_UNIQUE, insert(f, "services", service_row(SERVICE_2, "one", "null")));
    expect_fields(f, "{\"name\":\"one\"}");
    put(f, "services", service_row(SERVICE_2, "two", "null"));
    EXPECT(STORE_UNIQUE, update(f, "services", service_row(SERVICE_2, "one", "null")));
    expect_fields(f, "{\"name\":\"one\"}");
    /* null is not equal to null */
    put(f, "services", service_row(SERVICE_3, NULL, "null"));
    put(f, "services", service_row("00000000-0000-4000-8000-000000000004", NULL, "null"));
}

static void a_taken_id_is_a_primary_key_violation_even_if_the_name_is_taken_too(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    EXPECT(STORE_PRIMARY, insert(f, "services", service_row(SERVICE_1, "two", "null")));
    expect_fields(f, "{\"id\":\"" SERVICE_1 "\"}");
    EXPECT(STORE_PRIMARY, insert(f, "services", service_row(SERVICE_1, "one", "null")));
}

static void a_plugin_is_unique_by_name_and_scope(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    put(f, "plugins", plugin_row(PLUGIN_1, SERVICE_1));
    EXPECT(STORE_UNIQUE, insert(f, "plugins", plugin_row(PLUGIN_2, SERVICE_1)));
    expect_fields(f, "{\"name\":\"rate-limiting\",\"route\":null,\"consumer\":null,"
                     "\"service\":{\"id\":\"" SERVICE_1 "\"}}");
    put(f, "plugins", plugin_row(PLUGIN_2, NULL));
    EXPECT(STORE_UNIQUE, update(f, "plugins", plugin_row(PLUGIN_2, SERVICE_1)));
    EXPECT(STORE_UNIQUE,
           insert(f, "plugins", plugin_row("30000000-0000-4000-8000-000000000003", NULL)));
    store_error_clear(&f->error);
}

static void an_absent_parent_is_a_foreign_key_violation_that_names_it(void **state)
{
    struct fixture *f = *state;
    EXPECT(STORE_FOREIGN, insert(f, "routes", route_row(ROUTE_1, SERVICE_1)));
    assert_string_equal(f->error.entity, "services");
    expect_fields(f, "{\"service\":{\"id\":\"" SERVICE_1 "\"}}");
    EXPECT(STORE_FOREIGN, insert(f, "routes", route_row(ROUTE_1, "no uuid")));
    expect_fields(f, "{\"service\":{\"id\":\"no uuid\"}}");
    json_t *service = service_row(SERVICE_1, "one", "null");
    json_object_set_new(service, "client_certificate", json_pack("{s:s}", "id", SERVICE_2));
    EXPECT(STORE_FOREIGN, insert(f, "services", service));
    assert_string_equal(f->error.entity, "certificates");
}

static void a_referenced_row_cannot_be_deleted_and_the_error_names_the_child(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    put(f, "routes", route_row(ROUTE_1, SERVICE_1));
    put(f, "plugins", plugin_row(PLUGIN_1, SERVICE_1));
    EXPECT(STORE_REFERENCED, delete (f, "services", SERVICE_1));
    assert_string_equal(f->error.entity, "routes");
    expect_stored(f, "plugins", PLUGIN_1, plugin_row(PLUGIN_1, SERVICE_1));
    EXPECT(STORE_OK, delete (f, "routes", ROUTE_1));
    EXPECT(STORE_OK, delete (f, "services", SERVICE_1));
    EXPECT(STORE_NOT_FOUND, delete (f, "services", SERVICE_1));
    EXPECT(STORE_NOT_FOUND, delete (f, "services", "no uuid"));
}

static void children_that_cascade_go_with_their_parent(void **state)
{
    struct fixture *f = *state;
    json_t *row = NULL;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    put(f, "plugins", plugin_row(PLUGIN_1, SERVICE_1));
    EXPECT(STORE_OK, delete (f, "services", SERVICE_1));
    EXPECT(STORE_NOT_FOUND, store_select(f->store, find("plugins"), PLUGIN_1, &row, &f->error));
}

static void an_expired_key_can_be_given_out_again(void **state)
{
    struct fixture *f = *state;
    put(f, "consumers", consumer_row(CONSUMER_1, "alice"));
    put(f, "keyauth_credentials", key_row(KEY_1, "secret", "0.05"));
    int64_t deadline_ms = clock_now_ms() + DEADLINE_MS;
    enum store_result result;
    while ((result = insert(f, "keyauth_credentials", key_row(KEY_2, "secret", "null"))) ==
               STORE_UNIQUE &&
           clock_now_ms() < deadline_ms)
        store_error_clear(&f->error);
    EXPECT(STORE_OK, result);
}

static void a_value_of_the_wrong_type_is_refused_with_the_name_of_its_field(void **state)
{
    struct fixture *f = *state;
    json_t *row = service_row(SERVICE_1, "one", "null");
    json_object_set_new(row, "port", json_string("eighty"));
    EXPECT(STORE_FAILED, insert(f, "services", row));
    assert_non_null(strstr(f->error.text, "services.port"));
}

static void every_write_is_logged_in_order_with_its_cascades(void **state)
{
    struct fixture *f = *state;
    json_t *rows = NULL;
    int64_t latest;
    EXPECT(STORE_OK, store_changes_since(f->store, 0, &rows, &latest, &f->error));
    assert_int_equal(latest, 0);
    expect_json(rows, "[]");
    json_decref(rows);
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    put(f, "plugins", plugin_row(PLUGIN_1, SERVICE_1));
    EXPECT(STORE_UNIQUE, insert(f, "plugins", plugin_row(PLUGIN_2, SERVICE_1))); /* not logged */
    store_error_clear(&f->error);
    EXPECT(STORE_OK, upsert(f, "services", service_row(SERVICE_1, "two", "null")));
    EXPECT(STORE_OK, delete (f, "services", SERVICE_1));
    EXPECT(STORE_OK, store_changes_since(f->store, 1, &rows, &latest, &f->error));
    assert_int_equal(latest, 5);
    assert_int_equal(json_array_size(rows), 4);
    /* The databases differ in whether parent or child comes first. */
    json_array_remove(rows, 3);
    json_array_remove(rows, 2);
    expect_json(rows, "[{\"seq\":2,\"entity\":\"plugins\",\"id\":\"" PLUGIN_1
                      "\",\"op\":\"insert\"},{\"seq\":3,\"entity\":\"services\",\"id\":\"" SERVICE_1
                      "\",\"op\":\"update\"}]");
    json_decref(rows);
}

static void a_reader_that_is_too_far_behind_is_told_to_read_everything(void **state)
{
    struct fixture *f = *state;
    json_t *rows = NULL;
    int64_t latest;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    EXPECT(STORE_OK, store_changes_since(f->store, 99, &rows, &latest, &f->error));
    assert_null(rows); /* the store was reset since */
    assert_int_equal(latest, 1);
}

static void a_write_during_a_consistent_read_is_refused(void **state)
{
    struct fixture *f = *state;
    EXPECT(STORE_OK, store_read_begin(f->store, &f->error));
    EXPECT(STORE_FAILED, insert(f, "services", service_row(SERVICE_1, "one", "null")));
    EXPECT(STORE_FAILED, store_read_begin(f->store, &f->error));
    store_read_end(f->store);
    EXPECT(STORE_OK, insert(f, "services", service_row(SERVICE_1, "one", "null")));
}

static void a_consistent_read_does_not_see_another_nodes_write(void **state)
{
    struct fixture *f = *state;
    struct store *other = store_open(&f->options, NULL, &f->error);
    assert_non_null(other);
    struct walk before = {f, 0, 9}, after = {f, 0, 9};
    EXPECT(STORE_OK, store_read_begin(f->store, &f->error));
    EXPECT(STORE_OK, store_each(f->store, find("services"), count_row, &before, &f->error));
    json_t *row = service_row(SERVICE_1, "one", "null");
    EXPECT(STORE_OK, store_insert(other, find("services"), row, &f->error));
    json_decref(row);
    EXPECT(STORE_OK, store_each(f->store, find("services"), count_row, &before, &f->error));
    assert_int_equal(before.seen, 0);
    store_read_end(f->store);
    EXPECT(STORE_OK, store_each(f->store, find("services"), count_row, &after, &f->error));
    assert_int_equal(after.seen, 1);
    store_close(other);
}

/* ------------------------------------------------------------ run */

int main(void)
{
    struct CMUnitTest read_tests[] = {
        TEST(a_row_comes_back_as_it_was_stored),
        TEST(a_row_is_found_by_id_in_any_case_and_by_its_unique_fields),
        TEST(pages_follow_each_other_in_order_of_id),
        TEST(a_page_of_a_size_that_is_not_allowed_is_refused),
        TEST(tags_filter_by_all_or_by_any),
        TEST(children_are_listed_by_their_parent),
        TEST(every_row_is_visited_in_order_until_the_visitor_has_enough),
        TEST(a_ttl_comes_back_as_the_seconds_that_are_left),
        TEST(an_expired_row_is_invisible),
        TEST(a_consistent_read_can_be_begun_and_ended),
    };
    struct CMUnitTest sql_tests[] = {
        TEST_EMPTY(the_state_goes_from_empty_to_ready_and_migrating_again_does_nothing),
        TEST_EMPTY(before_the_bootstrap_errors_say_what_to_run),
        TEST(a_reset_leaves_an_empty_database_that_can_be_bootstrapped_again),
        TEST_EMPTY(two_nodes_can_bootstrap_at_once),
        TEST(an_update_replaces_the_whole_row),
        TEST(an_upsert_inserts_or_replaces),
        TEST(a_taken_name_is_a_unique_violation_that_names_the_key),
        TEST(a_taken_id_is_a_primary_key_violation_even_if_the_name_is_taken_too),
        TEST(a_plugin_is_unique_by_name_and_scope),
        TEST(an_absent_parent_is_a_foreign_key_violation_that_names_it),
        TEST(a_referenced_row_cannot_be_deleted_and_the_error_names_the_child),
        TEST(children_that_cascade_go_with_their_parent),
        TEST(an_expired_key_can_be_given_out_again),
        TEST(a_value_of_the_wrong_type_is_refused_with_the_name_of_its_field),
        TEST(every_write_is_logged_in_order_with_its_cascades),
        TEST(a_reader_that_is_too_far_behind_is_told_to_read_everything),
        TEST(a_write_during_a_consistent_read_is_refused),
        TEST(a_consistent_read_does_not_see_another_nodes_write),
    };
    struct kind sqlite = {.database = "sqlite"}, memory = {.database = "off"}, postgres;
    int failed = RUN_TESTS(read_tests, &sqlite) + RUN_TESTS(sql_tests, &sqlite) +
                 RUN_TESTS(read_tests, &memory);
    if (postgres_kind(&postgres)) {
        failed += RUN_TESTS(read_tests, &postgres) + RUN_TESTS(sql_tests, &postgres);
        postgres_kind_clear(&postgres);
    }
    schema_shutdown();
    return failed;
}
