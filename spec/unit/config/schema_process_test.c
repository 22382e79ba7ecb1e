/* SPDX-License-Identifier: Apache-2.0 */
/* schema_process_test.c -- raw input becomes a stored row: defaults, auto fields, sets, aliases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "config/schema_support.h"

#define UUID "fd02801f-0957-4a15-a55a-c8d9606f30b5"

static const struct schema_field element = {.type = SCHEMA_STRING};

/* A row of one field, fine unless `expected` is NULL. */
static void assert_field(struct schema_field field, const char *json, const char *expected)
{
    field.name = "f";
    struct schema schema = one_field(&field);
    struct outcome outcome = process_with(&schema, SCHEMA_INSERT, json);
    if (outcome.message != NULL)
        fail_msg("%s: %s", json, outcome.message);
    assert_member(outcome.row, "f", expected);
    outcome_clear(&outcome);
}

static void what_is_missing_becomes_its_default_or_null(void **state)
{
    (void)state;
    json_t *seven = json_of("7"), *list = json_of("[1]");
    assert_field((struct schema_field){.type = SCHEMA_INTEGER}, "{}", "null");
    assert_field((struct schema_field){.type = SCHEMA_INTEGER, .default_value = seven}, "{}", "7");
    assert_field((struct schema_field){.type = SCHEMA_INTEGER, .default_value = seven},
                 "{'f':null}", "null");
    assert_field((struct schema_field){.type = SCHEMA_INTEGER, .default_value = seven}, "{'f':8}",
                 "8");
    assert_field((struct schema_field){.type = SCHEMA_ARRAY, .default_value = list}, "{}", "[1]");
    json_decref(seven);
    json_decref(list);
}

static void a_default_is_copied(void **state)
{
    (void)state;
    json_t *list = json_of("['a']");
    struct schema_field field = {
        .name = "f", .type = SCHEMA_ARRAY, .elements = &element, .default_value = list};
    struct schema schema = one_field(&field);
    struct outcome outcome = process_with(&schema, SCHEMA_INSERT, "{}");
    assert_int_equal(json_array_clear(json_object_get(outcome.row, "f")), 0);
    assert_int_equal(json_array_size(list), 1);
    outcome_clear(&outcome);
    json_decref(list);
}

static void a_required_record_is_expanded_and_an_optional_one_is_not(void **state)
{
    (void)state;
    json_t *port = json_of("6379");
    const struct schema_field members[] = {
        {.name = "host", .type = SCHEMA_STRING},
        {.name = "port", .type = SCHEMA_INTEGER, .default_value = port}};
    const struct schema_record record = {members, 2, NULL, 0};
    struct schema_field required = {.type = SCHEMA_RECORD, .required = true, .record = &record};
    struct schema_field optional = {.type = SCHEMA_RECORD, .record = &record};
    assert_field(required, "{}", "{'host':null,'port':6379}");
    assert_field(optional, "{}", "null");
    assert_field(optional, "{'f':{'host':'h'}}", "{'host':'h','port':6379}");
    assert_field(optional, "{'f':[]}", "{'host':null,'port':6379}");
    struct schema_field record_element = {.type = SCHEMA_RECORD, .record = &record};
    assert_field((struct schema_field){.type = SCHEMA_ARRAY, .elements = &record_element},
                 "{'f':[{}]}", "[{'host':null,'port':6379}]");
    assert_field((struct schema_field){.type = SCHEMA_MAP, .values = &record_element},
                 "{'f':{'a':{}}}", "{'a':{'host':null,'port':6379}}");
    json_decref(port);
}

static void sets_lose_their_twins_and_arrays_do_not(void **state)
{
    (void)state;
    struct schema_field set = {.type = SCHEMA_SET, .elements = &element};
    struct schema_field array = {.type = SCHEMA_ARRAY, .elements = &element};
    assert_field(set, "{'f':['b','a','b','a']}", "['b','a']");
    assert_field(array, "{'f':['b','a','b']}", "['b','a','b']");
    assert_field(set, "{'f':{}}", "[]");
}

static void positions_count_after_twins_are_gone(void **state)
{
    (void)state;
    struct schema_field field = {.name = "f", .type = SCHEMA_SET, .elements = &element};
    struct schema schema = one_field(&field);
    struct outcome outcome = process_with(&schema, SCHEMA_INSERT, "{'f':['a','a',1]}");
    assert_member(outcome.fields, "f", "[null,'expected a string']");
    outcome_clear(&outcome);
}

static void whole_numbers_lose_their_fraction(void **state)
{
    (void)state;
    assert_field((struct schema_field){.type = SCHEMA_INTEGER}, "{'f':80.0}", "80");
    assert_field((struct schema_field){.type = SCHEMA_NUMBER}, "{'f':80.0}", "80");
    assert_field((struct schema_field){.type = SCHEMA_NUMBER}, "{'f':0.5}", "0.5");
}

static void ids_and_times_are_made(void **state)
{
    (void)state;
    int64_t now_s = clock_wall_ms() / 1000;
    struct outcome one = process("consumers", SCHEMA_INSERT, "{'username':'a','updated_at':5}");
    struct outcome two = process("consumers", SCHEMA_INSERT, "{'username':'a','id':null}");
    const char *id = json_string_value(json_object_get(one.row, "id"));
    assert_true(schema_is_uuid(slice_of(id)));
    assert_int_equal(id[14], '4');
    assert_string_not_equal(id, json_string_value(json_object_get(two.row, "id")));
    assert_in_range(json_integer_value(json_object_get(one.row, "created_at")), now_s, now_s + 5);
    assert_in_range(json_integer_value(json_object_get(one.row, "updated_at")), now_s, now_s + 5);
    outcome_clear(&one);
    outcome_clear(&two);
}

static void ids_and_times_that_were_given_stay(void **state)
{
    (void)state;
    struct outcome row =
        process("consumers", SCHEMA_UPSERT, "{'username':'a','id':'" UUID "','created_at':7}");
    assert_member(row.row, "id", "'" UUID "'");
    assert_member(row.row, "created_at", "7");
    outcome_clear(&row);
}

static void an_update_makes_nothing_but_the_time_of_change(void **state)
{
    (void)state;
    struct outcome row = process("consumers", SCHEMA_UPDATE,
                                 "{'username':'a','id':'" UUID "','created_at':7,'updated_at':7}");
    assert_null(row.message);
    assert_member(row.row, "id", "'" UUID "'");
    assert_member(row.row, "created_at", "7");
    assert_true(json_integer_value(json_object_get(row.row, "updated_at")) > 7);
    outcome_clear(&row);
}

static void a_parent_is_stored_by_its_id_alone(void **state)
{
    (void)state;
    struct outcome row =
        process("routes", SCHEMA_INSERT, "{'paths':['/'],'service':{'id':'" UUID "','name':'x'}}");
    assert_null(row.message);
    assert_member(row.row, "service", "{'id':'" UUID "'}");
    outcome_clear(&row);
}

static void old_names_are_moved_and_echoed(void **state)
{
    (void)state;
    struct outcome row =
        process("plugins", SCHEMA_INSERT,
                "{'name':'limits','config':{'minute':1,'redis_host':'h','redis_port':1}}");
    assert_null(row.message);
    assert_member(row.row, "config.redis", "{'host':'h','port':1}");
    assert_member(row.row, "config.redis_host", "'h'");
    assert_member(row.row, "config.redis_port", "1");
    outcome_clear(&row);
    row = process("plugins", SCHEMA_INSERT,
                  "{'name':'limits','config':{'minute':1,'redis':{'host':'h'}}}");
    assert_member(row.row, "config.redis_host", "'h'");
    outcome_clear(&row);
}

static void old_and_new_names_must_agree(void **state)
{
    (void)state;
    assert_fine("plugins",
                "{'name':'limits','config':{'minute':1,'redis_host':'h','redis':{'host':'h'}}}");
    assert_fine("plugins",
                "{'name':'limits','config':{'minute':1,'redis_host':null,'redis':{'host':'h'}}}");
    assert_errors(
        "plugins", "{'name':'limits','config':{'minute':1,'redis_host':'a','redis':{'host':'b'}}}",
        "{'config':{'redis_host':'both deprecated and new field are used but their values "
        "mismatch: redis_host = a vs redis.host = b'}}");
    assert_errors("plugins", "{'name':'limits','config':{'minute':1,'redis_port':'x'}}",
                  "{'config':{'redis_port':'expected an integer'}}");
    assert_errors("plugins", "{'name':'limits','config':{'minute':1,'redis_port':70000}}",
                  "{'config':{'redis':{'port':'value should be between 0 and 65535'}}}");
}

static void input_that_is_no_object_is_refused(void **state)
{
    (void)state;
    struct outcome row = process("consumers", SCHEMA_INSERT, "[1]");
    assert_string_equal(row.message, "schema violation (expected a record)");
    outcome_clear(&row);
}

static void a_large_list_of_wrong_elements_ends_soon(void **state)
{
    (void)state;
    struct schema_field field = {.name = "f", .type = SCHEMA_SET, .elements = &element};
    struct schema schema = one_field(&field);
    json_t *row = json_object(), *list = json_array();
    for (int i = 0; i < 200000; i++)
        json_array_append_new(list, json_integer(i));
    json_object_set_new(row, "f", list);
    struct schema_errors *errors = schema_errors_create();
    schema_process(&schema, SCHEMA_INSERT, row, NULL, NULL, errors);
    json_t *fields = schema_errors_fields(errors);
    assert_in_range(json_array_size(json_object_get(fields, "f")), 1000, 1001);
    json_decref(fields);
    schema_errors_destroy(errors);
    json_decref(row);
}

static size_t allocations_left;

static void *allocate(size_t bytes)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(bytes);
}

static void a_row_is_whole_or_refused_when_memory_runs_out(void **state)
{
    (void)state;
    bool is_done = false;
    (void)schema_find("routes");
    for (size_t n = 0; n < 1000 && !is_done; n++) {
        json_t *row =
            json_of("{'paths':['/a','/b'],'methods':['GET','GET'],'headers':{'x':['1']}}");
        struct schema_errors *errors = schema_errors_create();
        allocations_left = n;
        json_set_alloc_funcs(allocate, free);
        schema_process(schema_find("routes"), SCHEMA_INSERT, row, NULL, NULL, errors);
        json_set_alloc_funcs(malloc, free);
        bool is_fine = schema_errors_is_empty(errors);
        if (is_fine)
            assert_int_equal(json_object_size(row), 21);
        is_done = is_fine && allocations_left > 0;
        schema_errors_destroy(errors);
        json_decref(row);
    }
    assert_true(is_done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_becomes_its_default_or_null),
        cmocka_unit_test(a_default_is_copied),
        cmocka_unit_test(a_required_record_is_expanded_and_an_optional_one_is_not),
        cmocka_unit_test(sets_lose_their_twins_and_arrays_do_not),
        cmocka_unit_test(positions_count_after_twins_are_gone),
        cmocka_unit_test(whole_numbers_lose_their_fraction),
        cmocka_unit_test(ids_and_times_are_made),
        cmocka_unit_test(ids_and_times_that_were_given_stay),
        cmocka_unit_test(an_update_makes_nothing_but_the_time_of_change),
        cmocka_unit_test(a_parent_is_stored_by_its_id_alone),
        cmocka_unit_test(old_names_are_moved_and_echoed),
        cmocka_unit_test(old_and_new_names_must_agree),
        cmocka_unit_test(input_that_is_no_object_is_refused),
        cmocka_unit_test(a_large_list_of_wrong_elements_ends_soon),
        cmocka_unit_test(a_row_is_whole_or_refused_when_memory_runs_out),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    schema_shutdown();
    return failed;
}
