/* SPDX-License-Identifier: Apache-2.0 */
/* schema_test.c -- identifiers, single fields, and what may not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

static void a_named_uuid_is_the_same_every_time(void **state)
{
    (void)state;
    char id[37];
    /* the example of RFC 9562, appendix A.4 */
    assert_true(
        schema_uuid_named("6ba7b810-9dad-11d1-80b4-00c04fd430c8", SLICE("www.example.com"), id));
    assert_string_equal(id, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    assert_false(schema_uuid_named("no uuid", SLICE("x"), id));
}

static void random_uuids_are_version_4_and_differ(void **state)
{
    (void)state;
    char one[37], two[37];
    schema_uuid_random(one);
    schema_uuid_random(two);
    assert_true(schema_is_uuid(slice_of(one)));
    assert_int_equal(one[14], '4');
    assert_non_null(strchr("89ab", one[19]));
    assert_string_not_equal(one, two);
}

static void only_36_characters_of_that_form_are_a_uuid(void **state)
{
    (void)state;
    const char good[] = "2ed6657d-e927-568b-95e1-2665a8aea6a2";
    assert_true(schema_is_uuid(slice_of(good)));
    assert_false(schema_is_uuid(slice_make(good, 35)));
    assert_false(schema_is_uuid(SLICE("")));
    for (size_t i = 0; i < 36; i++) {
        char bad[37];
        memcpy(bad, good, sizeof(bad));
        bad[i] = bad[i] == '-' ? '0' : '-';
        assert_false(schema_is_uuid(slice_of(bad)));
    }
}

static void assert_key(const char *schema, const char *field, const char *json,
                       const char *expected)
{
    json_t *value = json_of(json);
    char *message = schema_validate_field(schema_find(schema), field, value);
    if (expected == NULL)
        assert_null(message);
    else
        assert_string_equal(message, expected);
    free(message);
    json_decref(value);
}

static void a_key_is_checked_like_its_field(void **state)
{
    (void)state;
    assert_key("services", "name", "'a'", NULL);
    assert_key(
        "services", "name", "'a b'",
        "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, "
        "and ~");
    assert_key("services", "id", "'x'", "expected a valid UUID");
    assert_key("services", "name", "null", "required field missing");
    assert_key("services", "nope", "'a'", "unknown field");
    assert_key(
        "services", "tags", "['a','b/c']",
        "{[2]=\"invalid tag 'b/c': expected printable ascii (except `,` and `/`) or valid utf-8 "
        "sequences\"}");
}

static void unique_fields_are_listed(void **state)
{
    (void)state;
    const struct schema_field *fields[4];
    assert_int_equal(schema_unique_fields(schema_find("consumers"), fields, 4), 2);
    assert_string_equal(fields[0]->name, "username");
    assert_string_equal(fields[1]->name, "custom_id");
    assert_int_equal(schema_unique_fields(schema_find("consumers"), fields, 1), 1);
    assert_int_equal(schema_unique_fields(schema_find("keyauth_credentials"), fields, 4), 1);
    assert_string_equal(fields[0]->name, "key");
}

static void an_immutable_field_may_be_set_once(void **state)
{
    (void)state;
    const struct schema_field field = {.name = "f", .type = SCHEMA_STRING, .immutable = true};
    struct schema schema = one_field(&field);
    static const struct {
        const char *stored, *row;
        bool is_fine;
    } cases[] = {{"{'f':'a'}", "{'f':'a'}", true},
                 {"{'f':null}", "{'f':'a'}", true},
                 {"{'f':'a'}", "{'f':'b'}", false},
                 {"{'f':'a'}", "{'f':null}", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct schema_errors *errors = schema_errors_create();
        json_t *stored = json_of(cases[i].stored), *row = json_of(cases[i].row);
        schema_check_immutable(&schema, stored, row, errors);
        char *message = schema_errors_message(errors);
        if (!cases[i].is_fine)
            assert_string_equal(message, "schema violation (f: immutable field cannot be updated)");
        assert_int_equal(schema_errors_is_empty(errors), cases[i].is_fine);
        free(message);
        json_decref(stored);
        json_decref(row);
        schema_errors_destroy(errors);
    }
}

static void the_core_can_be_built_again(void **state)
{
    (void)state;
    assert_true(schema_init());
    assert_true(schema_init());
    schema_shutdown();
    schema_shutdown();
    assert_non_null(schema_find("services"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_uuid_is_the_same_every_time),
        cmocka_unit_test(random_uuids_are_version_4_and_differ),
        cmocka_unit_test(only_36_characters_of_that_form_are_a_uuid),
        cmocka_unit_test(a_key_is_checked_like_its_field),
        cmocka_unit_test(unique_fields_are_listed),
        cmocka_unit_test(an_immutable_field_may_be_set_once),
        cmocka_unit_test(the_core_can_be_built_again),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    schema_shutdown();
    return failed;
}
