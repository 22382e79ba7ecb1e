/* SPDX-License-Identifier: Apache-2.0 */
/* schema_errors_test.c -- the tree of messages and its summary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

static void assert_tree(const struct schema_errors *errors, const char *tree, const char *message)
{
    json_t *expected = json_of(tree), *found = schema_errors_fields(errors);
    char *text = schema_errors_message(errors);
    char *dump = json_dumps(found, 0);
    if (json_equal(found, expected) == 0)
        fail_msg("%s, expected %s", dump, tree);
    assert_string_equal(text, message);
    free(dump);
    free(text);
    json_decref(found);
    json_decref(expected);
}

static void one_problem_is_a_violation(void **state)
{
    (void)state;
    struct schema_errors *errors = schema_errors_create();
    assert_true(schema_errors_is_empty(errors));
    schema_errors_add(errors, "name", "%s field missing", "required");
    assert_false(schema_errors_is_empty(errors));
    assert_tree(errors, "{'name':'required field missing'}",
                "schema violation (name: required field missing)");
    schema_errors_destroy(errors);
}

static void entity_first_then_fields_in_order(void **state)
{
    (void)state;
    struct schema_errors *errors = schema_errors_create();
    schema_errors_add(errors, "z", "last");
    schema_errors_add(errors, "paths.2", "second");
    schema_errors_add(errors, "config.b", "beta");
    schema_errors_add(errors, "config.a", "alpha");
    schema_errors_add(errors, "config.deep.x", "deep");
    schema_errors_add(errors, "@entity", "whole");
    assert_tree(
        errors,
        "{'@entity':['whole'],'config':{'a':'alpha','b':'beta','deep':{'x':'deep'}},"
        "'paths':[null,'second'],'z':'last'}",
        "6 schema violations (whole; config.a: alpha; config.b: beta; config.deep: {\n  x = "
        "\"deep\"\n}; paths.2: second; z: last)");
    schema_errors_destroy(errors);
}

static void a_record_keeps_its_own_entity_errors(void **state)
{
    (void)state;
    struct schema_errors *errors = schema_errors_create();
    schema_errors_add(errors, "config.@entity", "one");
    schema_errors_add(errors, "config.@entity", "two");
    assert_tree(errors, "{'config':{'@entity':['one','two']}}",
                "schema violation (config.@entity: {\n  \"one\",\n  \"two\"\n})");
    schema_errors_destroy(errors);
}

static void the_deeper_message_stays(void **state)
{
    (void)state;
    struct schema_errors *errors = schema_errors_create();
    schema_errors_add(errors, "a", "whole");
    schema_errors_add(errors, "a.b", "part");
    schema_errors_add(errors, "a", "whole again");
    assert_tree(errors, "{'a':{'b':'part'}}", "schema violation (a.b: part)");
    schema_errors_destroy(errors);
}

static void a_character_cut_in_two_does_not_lose_the_message(void **state)
{
    (void)state;
    struct schema_errors *errors = schema_errors_create();
    schema_errors_add(errors, "a", "bad '%%\xc3'");
    assert_tree(errors, "{'a':'bad \\u0027%?\\u0027'}", "schema violation (a: bad '%?')");
    schema_errors_destroy(errors);
}

static void the_number_of_messages_is_bounded(void **state)
{
    (void)state;
    struct schema_errors *errors = schema_errors_create();
    for (int i = 1; i <= 5000; i++) {
        char path[32];
        snprintf(path, sizeof(path), "list.%d", i);
        schema_errors_add(errors, path, "wrong");
    }
    json_t *fields = schema_errors_fields(errors);
    assert_in_range(json_array_size(json_object_get(fields, "list")), 1000, 1001);
    json_decref(fields);
    schema_errors_destroy(errors);
}

static void values_look_like_lua_tables(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'name':'n','id':'u'}", "{id=\"u\",name=\"n\"}"},
        {"{'service':{'id':'u'},'route':null}", "{route=null,service={id=\"u\"}}"},
        {"['a',2,1.5,true]", "{\"a\",2,1.5,true}"},
        {"{'a-b':1,'@entity':['x']}", "{[\"@entity\"]={\"x\"},[\"a-b\"]=1}"},
        {"[null,'x']", "{[2]=\"x\"}"},
        {"{}", "{}"},
        {"'a\\u0022b\\\\c\\n'", "\"a\\\"b\\\\c\\n\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *value = json_of(cases[i][0]);
        char *text = schema_lua_text(value);
        assert_string_equal(text, cases[i][1]);
        free(text);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_problem_is_a_violation),
        cmocka_unit_test(entity_first_then_fields_in_order),
        cmocka_unit_test(a_record_keeps_its_own_entity_errors),
        cmocka_unit_test(the_deeper_message_stays),
        cmocka_unit_test(a_character_cut_in_two_does_not_lose_the_message),
        cmocka_unit_test(the_number_of_messages_is_bounded),
        cmocka_unit_test(values_look_like_lua_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
