/* SPDX-License-Identifier: Apache-2.0 */
/* schema_constraints_test.c -- each check of a value, its good and its bad neighbour, its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

/* Checks `value` against `field`; `message` NULL: it is fine. */
static void assert_value(struct schema_field field, const char *value, const char *message)
{
    field.name = "f";
    struct schema schema = one_field(&field);
    char *json = NULL;
    if (asprintf(&json, "{'f':%s}", value) < 0)
        fail();
    struct outcome outcome = process_with(&schema, SCHEMA_INSERT, json);
    const char *found = json_string_value(json_object_get(outcome.fields, "f"));
    if (message == NULL && json_object_size(outcome.fields) > 0)
        fail_msg("%s: %s", json, outcome.message);
    if (message != NULL && found == NULL)
        fail_msg("%s passed, expected: %s", json, message);
    if (message != NULL)
        assert_string_equal(found, message);
    outcome_clear(&outcome);
    free(json);
}

static void every_type_takes_its_own_values_only(void **state)
{
    (void)state;
    static const struct {
        enum schema_type type;
        const char *good, *bad, *message;
    } cases[] = {
        {SCHEMA_STRING, "'a'", "1", "expected a string"},
        {SCHEMA_STRING, "'a'", "{}", "expected a string"},
        {SCHEMA_NUMBER, "1.5", "'1.5'", "expected a number"},
        {SCHEMA_NUMBER, "1", "true", "expected a number"},
        {SCHEMA_INTEGER, "7", "7.5", "expected an integer"},
        {SCHEMA_INTEGER, "7.0", "'7'", "expected an integer"},
        {SCHEMA_INTEGER, "-1", "1e300", "expected an integer"},
        {SCHEMA_BOOLEAN, "false", "'false'", "expected a boolean"},
        {SCHEMA_BOOLEAN, "true", "0", "expected a boolean"},
        {SCHEMA_ARRAY, "[1]", "'a'", "expected an array"},
        {SCHEMA_ARRAY, "[]", "{'a':1}", "expected an array"},
        {SCHEMA_SET, "[1]", "'a'", "expected a set"},
        {SCHEMA_MAP, "{'a':1}", "'a'", "expected a map"},
        {SCHEMA_MAP, "[]", "[1]", "expected a string"},
        {SCHEMA_RECORD, "{'a':1}", "'a'", "expected a record"},
        {SCHEMA_RECORD, "{}", "[1]", "expected a record"},
        {SCHEMA_FUNCTION, "'return 1'", "1", "expected a function"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_value((struct schema_field){.type = cases[i].type}, cases[i].good, NULL);
        assert_value((struct schema_field){.type = cases[i].type}, cases[i].bad, cases[i].message);
    }
    assert_value((struct schema_field){.type = SCHEMA_ANY}, "[{'a':null}]", NULL);
    assert_value((struct schema_field){.type = SCHEMA_JSON}, "{'a':[1,'b']}", NULL);
}

static void null_is_fine_unless_a_value_is_required(void **state)
{
    (void)state;
    assert_value((struct schema_field){.type = SCHEMA_STRING}, "null", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .required = true}, "null",
                 "required field missing");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .ne = json_null()}, "null",
                 "value must not be null");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .eq = json_null()}, "null", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .eq = json_null()}, "'a'",
                 "value must be null");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .eq = json_null(), .error = "no!"},
                 "'a'", "no!");
}

static void values_are_compared_with_those_allowed(void **state)
{
    (void)state;
    json_t *x = json_of("'x'"), *ab = json_of("['a','b']"), *numbers = json_of("[426,301]");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .eq = x}, "'x'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .eq = x}, "'y'", "value must be x");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .eq = x}, "null", "value must be x");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .ne = x}, "'y'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .ne = x}, "'x'",
                 "value must not be x");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .one_of = ab}, "'b'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .one_of = ab}, "'c'",
                 "expected one of: a, b");
    assert_value((struct schema_field){.type = SCHEMA_INTEGER, .one_of = numbers}, "301", NULL);
    assert_value((struct schema_field){.type = SCHEMA_INTEGER, .one_of = numbers}, "302",
                 "expected one of: 426, 301");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .not_one_of = ab}, "'c'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .not_one_of = ab}, "'a'",
                 "must not be one of: a, b");
    assert_value((struct schema_field){.type = SCHEMA_ARRAY, .contains = x}, "['x']", NULL);
    assert_value((struct schema_field){.type = SCHEMA_ARRAY, .contains = x}, "['y']",
                 "expected to contain: x");
    json_decref(x);
    json_decref(ab);
    json_decref(numbers);
}

static void numbers_keep_their_limits(void **state)
{
    (void)state;
    struct schema_field between = {
        .type = SCHEMA_NUMBER, .has_between = true, .between = {0.5, 2147483646}};
    assert_value(between, "0.5", NULL);
    assert_value(between, "2147483646", NULL);
    assert_value(between, "0.4", "value should be between 0.5 and 2147483646");
    assert_value(between, "2147483647", "value should be between 0.5 and 2147483646");
    struct schema_field above = {.type = SCHEMA_NUMBER, .has_gt = true, .gt = 0};
    assert_value(above, "0.001", NULL);
    assert_value(above, "0", "value must be greater than 0");
    struct schema_field time = {.type = SCHEMA_INTEGER, .timestamp = true};
    assert_value(time, "1", NULL);
    assert_value(time, "0", "expected a valid timestamp");
    assert_value(time, "-1", "expected a valid timestamp");
}

static void lengths_are_of_bytes_elements_and_members(void **state)
{
    (void)state;
    struct schema_field text = {.type = SCHEMA_STRING,
                                .has_len_min = true,
                                .len_min = 2,
                                .has_len_max = true,
                                .len_max = 3};
    assert_value(text, "'ab'", NULL);
    assert_value(text, "'abc'", NULL);
    assert_value(text, "'a'", "length must be at least 2");
    assert_value(text, "'abcd'", "length must be at most 3");
    assert_value(text, "'\\u00e9\\u00e9'", "length must be at most 3");
    struct schema_field exact = {.type = SCHEMA_ARRAY, .has_len_eq = true, .len_eq = 2};
    assert_value(exact, "[1,2]", NULL);
    assert_value(exact, "[1]", "length must be 2");
    struct schema_field map = {.type = SCHEMA_MAP, .has_len_min = true, .len_min = 1};
    assert_value(map, "{'a':1}", NULL);
    assert_value(map, "{}", "length must be at least 1");
}

static void text_is_not_empty_unless_allowed(void **state)
{
    (void)state;
    assert_value((struct schema_field){.type = SCHEMA_STRING}, "''", "length must be at least 1");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .has_len_min = true}, "''", NULL);
}

static void uuids_are_told_by_their_form(void **state)
{
    (void)state;
    struct schema_field uuid = {.type = SCHEMA_STRING, .uuid = true};
    assert_value(uuid, "'fd02801f-0957-4a15-a55a-c8d9606f30b5'", NULL);
    assert_value(uuid, "'FD02801F-0957-4A15-A55A-C8D9606F30B5'", NULL);
    assert_value(uuid, "'fd02801f-0957-4a15-a55a-c8d9606f30b'", "expected a valid UUID");
    assert_value(uuid, "'fd02801f-0957-4a15-a55a-c8d9606f30bg'", "expected a valid UUID");
    assert_value(uuid, "'fd02801f00957-4a15-a55a-c8d9606f30b5'", "expected a valid UUID");
}

static void patterns_are_lua_s_and_regexes_are_pcre_s(void **state)
{
    (void)state;
    static const struct schema_pattern upper[] = {{"^%u+$", NULL}, {0}};
    static const struct schema_pattern upper_said[] = {{"^%u+$", "shout"}, {0}};
    static const struct schema_pattern both[] = {{"a", NULL}, {"b", "needs a b"}, {0}};
    static const struct schema_pattern any[] = {{"^a", "a or b first"}, {"^b", NULL}, {0}};
    static const struct schema_pattern none[] = {{"//", "no empty segments"}, {0}};
    struct schema_field match = {.type = SCHEMA_STRING, .match = upper};
    assert_value(match, "'GET'", NULL);
    assert_value(match, "'get'", "invalid value: get");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .match = upper_said}, "'x'", "shout");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .not_match = upper}, "'get'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .not_match = upper}, "'GET'",
                 "invalid value: GET");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .match_all = both}, "'ab'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .match_all = both}, "'a'",
                 "needs a b");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .match_any = any}, "'bc'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .match_any = any}, "'c'",
                 "a or b first");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .match_none = none}, "'/a'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .match_none = none}, "'//a'",
                 "no empty segments");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .starts_with = "/"}, "'/a'", NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .starts_with = "/"}, "'a'",
                 "should start with: /");
    assert_value((struct schema_field){.type = SCHEMA_STRING, .is_regex = true}, "'^a(b|c)$'",
                 NULL);
    assert_value((struct schema_field){.type = SCHEMA_STRING, .is_regex = true}, "'a('",
                 "not a valid regex: a(");
}

static void a_pattern_that_cannot_be_decided_refuses(void **state)
{
    (void)state;
    static const struct schema_pattern endless[] = {{"^a*a*a*a*a*a*a*a*b$", NULL}, {0}};
    char value[260];
    memset(value, 'a', sizeof(value));
    value[0] = value[258] = '\'';
    value[259] = '\0';
    for (int i = 0; i < 2; i++) {
        struct schema_field field = {.name = "f", .type = SCHEMA_STRING};
        if (i == 0)
            field.match = endless;
        else
            field.not_match = endless;
        struct schema schema = one_field(&field);
        char *json = NULL;
        if (asprintf(&json, "{'f':%s}", value) < 0)
            fail();
        struct outcome outcome = process_with(&schema, SCHEMA_INSERT, json);
        assert_non_null(outcome.message);
        outcome_clear(&outcome);
        free(json);
    }
}

static void a_field_may_have_its_own_words(void **state)
{
    (void)state;
    struct schema_field field = {
        .type = SCHEMA_STRING, .has_len_max = true, .len_max = 1, .error = "too long"};
    assert_value(field, "'ab'", "too long");
    assert_value(field, "1", "expected a string");
}

static char *refuse_odd(const void *context, const json_t *value)
{
    return json_integer_value(value) % 2 == 0 ? NULL : strdup(context);
}

static void code_is_asked_last(void **state)
{
    (void)state;
    struct schema_field field = {.type = SCHEMA_INTEGER,
                                 .has_between = true,
                                 .between = {0, 10},
                                 .validate = refuse_odd,
                                 .validate_context = "odd"};
    assert_value(field, "4", NULL);
    assert_value(field, "3", "odd");
    assert_value(field, "11", "value should be between 0 and 10");
}

static void sets_that_exclude_each_other_are_named_whole(void **state)
{
    (void)state;
    json_t *sets = json_of("[['http','https'],['tcp','udp'],['grpc']]");
    struct schema_field field = {.type = SCHEMA_SET, .exclusive_subsets = sets};
    assert_value(field, "['http','https']", NULL);
    assert_value(field, "['other','udp']", NULL);
    assert_value(field, "['tcp','http']",
                 "these sets are mutually exclusive: ('tcp', 'udp'), ('http', 'https')");
    json_decref(sets);
}

static void the_first_failed_check_in_kong_s_order_speaks(void **state)
{
    (void)state;
    json_t *one_of = json_of("['abc']"), *ne = json_of("'x'");
    static const struct schema_pattern upper[] = {{"^%u+$", NULL}, {0}};
    struct schema_field field = {.type = SCHEMA_STRING,
                                 .match = upper,
                                 .has_len_min = true,
                                 .len_min = 3,
                                 .starts_with = "A",
                                 .one_of = one_of,
                                 .ne = ne};
    assert_value(field, "'x'", "value must not be x");
    assert_value(field, "'y'", "expected one of: abc");
    field.one_of = NULL;
    assert_value(field, "'y'", "length must be at least 3");
    assert_value(field, "'yyy'", "should start with: A");
    assert_value(field, "'Ayy'", "invalid value: Ayy");
    json_decref(one_of);
    json_decref(ne);
}

static void a_vault_reference_stands_for_any_text(void **state)
{
    (void)state;
    struct schema_field field = {
        .type = SCHEMA_STRING, .has_len_max = true, .len_max = 3, .referenceable = true};
    assert_value(field, "'{vault://env/secret}'", NULL);
    assert_value(field, "'vault://env/secret'", "length must be at most 3");
    field.referenceable = false;
    assert_value(field, "'{vault://env/secret}'", "length must be at most 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_takes_its_own_values_only),
        cmocka_unit_test(null_is_fine_unless_a_value_is_required),
        cmocka_unit_test(values_are_compared_with_those_allowed),
        cmocka_unit_test(numbers_keep_their_limits),
        cmocka_unit_test(lengths_are_of_bytes_elements_and_members),
        cmocka_unit_test(text_is_not_empty_unless_allowed),
        cmocka_unit_test(uuids_are_told_by_their_form),
        cmocka_unit_test(patterns_are_lua_s_and_regexes_are_pcre_s),
        cmocka_unit_test(a_pattern_that_cannot_be_decided_refuses),
        cmocka_unit_test(a_field_may_have_its_own_words),
        cmocka_unit_test(code_is_asked_last),
        cmocka_unit_test(sets_that_exclude_each_other_are_named_whole),
        cmocka_unit_test(the_first_failed_check_in_kong_s_order_speaks),
        cmocka_unit_test(a_vault_reference_stands_for_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
