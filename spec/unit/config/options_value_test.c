/* SPDX-License-Identifier: Apache-2.0 */
/* options_value_test.c -- from the text of a key to its value. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/options_value.h"

static void booleans_are_on_true_off_and_false_in_any_case(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool is_ok, is_on;
    } cases[] = {{"on", true, true},     {"True", true, true},  {"off", true, false},
                 {"FALSE", true, false}, {"yes", false, false}, {"1", false, false},
                 {"", false, false},     {"on ", false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool is_on = false;
        assert_int_equal(options_value_boolean(cases[i].text, &is_on), cases[i].is_ok);
        assert_int_equal(is_on, cases[i].is_on);
    }
}

static void numbers_are_decimal_with_nothing_behind(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0}, {"5432", 5432}, {"0.01", 0.01}, {"-3", -3}, {"1.50", 1.5}};
    const char *const bad[] = {"",    "-",   ".5", "5.", "1e3", "0x10",
                               "inf", "nan", "1 ", " 1", "12a", "1,5"};
    double value;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(options_value_number(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(options_value_number(bad[i], &value));
}

static void sizes_have_units_of_1024_and_do_not_overflow(void **state)
{
    (void)state;
    const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0}, {"17", 17}, {"8k", 8192}, {"10m", 10485760}, {"1G", 1073741824}};
    const char *const bad[] = {
        "", "k", "8kb", "-1", "1.5m", "99999999999999999999", "9999999999999g"};
    uint64_t value;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(options_value_size(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(options_value_size(bad[i], &value));
}

static void times_are_seconds_unless_they_name_a_unit(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"60", 60000},  {"0.25", 250},   {"500ms", 500},   {"10s", 10000},
                {"5m", 300000}, {"2h", 7200000}, {"1d", 86400000}, {"0", 0}};
    const char *const bad[] = {"", "s", "-1", "1w", "1 s", "9999d", "1e9"};
    int64_t ms;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(options_value_time(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(options_value_time(bad[i], &ms));
}

static void a_choice_ignores_case_and_tells_which_it_is(void **state)
{
    (void)state;
    size_t which;
    assert_true(options_value_choice("B", "a, b, c", &which));
    assert_int_equal(which, 1);
    assert_false(options_value_choice("d", "a, b, c", NULL));
    assert_false(options_value_choice("", "a, b, c", NULL));
    assert_false(options_value_choice("a, b", "a, b, c", NULL));
}

static void a_list_is_trimmed_and_has_no_empty_items(void **state)
{
    (void)state;
    char **list = options_value_list(" a ,, b c,\td ,");
    assert_string_equal(list[0], "a");
    assert_string_equal(list[1], "b c");
    assert_string_equal(list[2], "d");
    assert_null(list[3]);
    options_value_list_free(list);
    list = options_value_list(NULL);
    assert_null(list[0]);
    options_value_list_free(list);
    options_value_list_free(NULL);
}

static void check_reference(const char *reference, const char *prefix, const char *expected)
{
    char *why = NULL;
    char *value = options_value_resolve(reference, prefix, &why);
    assert_non_null(value);
    assert_string_equal(value, expected);
    free(value);
}

static void a_reference_stands_for_an_environment_variable_or_a_member_of_it(void **state)
{
    (void)state;
    setenv("VALUE_TEST_PASSWORD", "secret", 1);
    setenv("VALUE_TEST_JSON", "{\"user\":\"kong\",\"port\":5432}", 1);
    assert_true(options_value_is_reference("{vault://env/x}"));
    assert_false(options_value_is_reference("vault://env/x"));
    check_reference("{vault://env/value-test-password}", NULL, "secret");
    check_reference("{vault://env/test-password}", "value_", "secret");
    check_reference("{vault://env/password?ttl=10&prefix=value_test_}", "other_", "secret");
    check_reference("{vault://env/value-test-json/user}", NULL, "kong");
    check_reference("{vault://env/value-test-json/port}", NULL, "5432");
}

static void a_reference_that_cannot_be_resolved_says_why(void **state)
{
    (void)state;
    setenv("VALUE_TEST_EMPTY", "", 1);
    setenv("VALUE_TEST_TEXT", "no json", 1);
    const struct {
        const char *reference, *why;
    } cases[] = {
        {"{vault://env/value-test-missing}", "VALUE_TEST_MISSING is not set"},
        {"{vault://env/value-test-empty}", "VALUE_TEST_EMPTY is not set"},
        {"{vault://env/value-test-text/key}", "not a JSON object with the member 'key'"},
        {"{vault://hcv/secret}", "unknown vault 'hcv'"},
        {"{vault://env}", "not of the form"},
        {"{vault:///x}", "not of the form"},
        {"{vault://env/x/}", "not of the form"},
        {"{vault://}", "not of the form"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *why = NULL;
        assert_null(options_value_resolve(cases[i].reference, NULL, &why));
        assert_non_null(strstr(why, cases[i].why));
        free(why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans_are_on_true_off_and_false_in_any_case),
        cmocka_unit_test(numbers_are_decimal_with_nothing_behind),
        cmocka_unit_test(sizes_have_units_of_1024_and_do_not_overflow),
        cmocka_unit_test(times_are_seconds_unless_they_name_a_unit),
        cmocka_unit_test(a_choice_ignores_case_and_tells_which_it_is),
        cmocka_unit_test(a_list_is_trimmed_and_has_no_empty_items),
        cmocka_unit_test(a_reference_stands_for_an_environment_variable_or_a_member_of_it),
        cmocka_unit_test(a_reference_that_cannot_be_resolved_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
