/* SPDX-License-Identifier: Apache-2.0 */
/* declarative_yaml_test.c -- YAML 1.1 values, and documents that want too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/declarative_yaml.h"
#include "config/schema_support.h"

static void assert_yaml(const char *text, const char *expected)
{
    json_t *value, *wanted = json_of(expected);
    char *error;
    if (declarative_yaml_decode(slice_of(text), &value, &error) != DECLARATIVE_OK)
        fail_msg("%s: %s", text, error);
    char *found = json_dumps(value, JSON_ENCODE_ANY);
    if (json_equal(value, wanted) == 0)
        fail_msg("%s is %s, expected %s", text, found, expected);
    free(found);
    json_decref(value);
    json_decref(wanted);
}

static void assert_unreadable(struct slice text, const char *part)
{
    json_t *value;
    char *error;
    assert_int_equal(declarative_yaml_decode(text, &value, &error), DECLARATIVE_UNREADABLE);
    assert_null(value);
    if (strstr(error, part) == NULL)
        fail_msg("%s does not say: %s", error, part);
    free(error);
}

static void plain_scalars_get_types_and_quoted_ones_stay_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"'null'", "'null'"},
        {"true", "true"},
        {"Yes", "true"},
        {"off", "false"},
        {"\"true\"", "'true'"},
        {"12", "12"},
        {"-7", "-7"},
        {"+7", "7"},
        {"0x1F", "31"},
        {"017", "15"},
        {"08", "8.0"},
        {"0", "0"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"1e3", "1000.0"},
        {"'12'", "'12'"},
        {".inf", "'.inf'"},
        {"1.2.3", "'1.2.3'"},
        {"12a", "'12a'"},
        {"-", "[null]"},
        {"e", "'e'"},
        {"99999999999999999999", "1e20"},
        {"a: |\n  x\n  y\n", "{'a':'x\\ny\\n'}"},
        {"2024-01-01", "'2024-01-01'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_yaml(cases[i][0], cases[i][1]);
}

static void collections_aliases_and_merge_keys_are_expanded(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a: 1\nb: [x, {c: d}]\n", "{'a':1,'b':['x',{'c':'d'}]}"},
        {"{1: a, true: b}", "{'1':'a','true':'b'}"},
        {"a: &x [1, 2]\nb: *x\n", "{'a':[1,2],'b':[1,2]}"},
        {"a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", "{'a':{'p':1,'q':2},'b':{'p':1,'q':3}}"},
        {"a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n",
         "{'a':{'p':1},'b':{'p':2,'q':2},'c':{'p':1,'q':2}}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_yaml(cases[i][0], cases[i][1]);
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    assert_unreadable(SLICE("a: 1\nb: 2\na: 3\n"), "line 3: duplicate key a");
    assert_unreadable(SLICE("a: b: c"), "line 1, column");
    assert_unreadable(SLICE("[a"), "line");
    assert_unreadable(SLICE("a: *nope"), "alias");
    assert_unreadable(SLICE("? [a]\n: b\n"), "a key must be a scalar");
    assert_unreadable(SLICE("a:\n  <<: 1\n"), "line 2: a merge key (<<) needs mappings");
    assert_unreadable(SLICE("a: \xff\n"), "line");
}

static void aliases_do_not_multiply_without_end(void **state)
{
    (void)state;
    char text[1024] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i <= 9; i++) {
        char line[96];
        snprintf(line, sizeof(line), "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        strcat(text, line);
    }
    assert_unreadable(slice_of(text), "too large with its aliases expanded");
}

static void a_value_inside_of_itself_is_refused(void **state)
{
    (void)state;
    assert_unreadable(SLICE("a: &x [*x]\n"), "nested too deeply");
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[256];
    memset(text, '[', 60);
    memset(text + 60, ']', 60);
    json_t *value;
    char *error;
    assert_int_equal(declarative_yaml_decode(slice_make(text, 120), &value, &error),
                     DECLARATIVE_OK);
    json_decref(value);
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    assert_unreadable(slice_make(text, 200), "nested too deeply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_get_types_and_quoted_ones_stay_text),
        cmocka_unit_test(collections_aliases_and_merge_keys_are_expanded),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(aliases_do_not_multiply_without_end),
        cmocka_unit_test(a_value_inside_of_itself_is_refused),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
