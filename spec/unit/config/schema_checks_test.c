/* SPDX-License-Identifier: Apache-2.0 */
/* schema_checks_test.c -- checks over several fields of a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

static const struct schema_field inner_fields[] = {{.name = "host", .type = SCHEMA_STRING}};
static const struct schema_record inner = {inner_fields, 1, NULL, 0};
static const struct schema_field fields[] = {
    {.name = "a", .type = SCHEMA_STRING},
    {.name = "b", .type = SCHEMA_STRING},
    {.name = "list", .type = SCHEMA_ARRAY},
    {.name = "in", .type = SCHEMA_RECORD, .record = &inner},
};
static const char *const a_b[] = {"a", "b", NULL};
static const char *const a_host[] = {"a", "in.host", NULL};
static const char *const a_list[] = {"a", "list", NULL};

/* Errors of `json` under one check; `expected` in single quotes. */
static void assert_check(struct schema_check check, const char *json, const char *expected)
{
    struct schema schema = {.name = "test", .record = {fields, 4, &check, 1}};
    struct outcome outcome = process_with(&schema, SCHEMA_INSERT, json);
    json_t *tree = json_of(expected);
    if (json_equal(outcome.fields, tree) == 0)
        fail_msg("%s: %s, expected %s", json, outcome.message == NULL ? "fine" : outcome.message,
                 expected);
    json_decref(tree);
    outcome_clear(&outcome);
}

static void lists_of_fields_are_counted(void **state)
{
    (void)state;
    static const struct {
        enum schema_check_type type;
        const char *good, *also_good, *bad, *message;
    } cases[] = {
        {SCHEMA_AT_LEAST_ONE_OF, "{'a':'x'}", "{'a':'x','b':'y'}", "{}",
         "{'@entity':['at least one of these fields must be non-empty: \\u0027a\\u0027, "
         "\\u0027b\\u0027']}"},
        {SCHEMA_ONLY_ONE_OF, "{'a':'x'}", "{'b':'x'}", "{'a':'x','b':'y'}",
         "{'@entity':['exactly one of these fields must be non-empty: \\u0027a\\u0027, "
         "\\u0027b\\u0027']}"},
        {SCHEMA_ONLY_ONE_OF, "{'a':'x'}", "{'b':'x'}", "{}",
         "{'@entity':['exactly one of these fields must be non-empty: \\u0027a\\u0027, "
         "\\u0027b\\u0027']}"},
        {SCHEMA_MUTUALLY_REQUIRED, "{}", "{'a':'x','b':'y'}", "{'a':'x'}",
         "{'@entity':['all or none of these fields must be set: \\u0027a\\u0027, "
         "\\u0027b\\u0027']}"},
        {SCHEMA_MUTUALLY_EXCLUSIVE, "{}", "{'a':'x'}", "{'a':'x','b':'y'}",
         "{'@entity':['only one or none of these fields must be set: \\u0027a\\u0027, "
         "\\u0027b\\u0027']}"},
        {SCHEMA_DISTINCT, "{}", "{'a':'x','b':'y'}", "{'a':'x','b':'x'}",
         "{'@entity':['values of these fields must be distinct: \\u0027a\\u0027, "
         "\\u0027b\\u0027']}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct schema_check check = {.type = cases[i].type, .fields = a_b};
        assert_check(check, cases[i].good, "{}");
        assert_check(check, cases[i].also_good, "{}");
        assert_check(check, cases[i].bad, cases[i].message);
    }
}

static void an_empty_list_counts_as_nothing(void **state)
{
    (void)state;
    struct schema_check check = {.type = SCHEMA_AT_LEAST_ONE_OF, .fields = a_list};
    assert_check(check, "{'list':[1]}", "{}");
    assert_check(check, "{'list':[]}",
                 "{'@entity':['at least one of these fields must be non-empty: \\u0027a\\u0027, "
                 "\\u0027list\\u0027']}");
}

static void fields_inside_of_records_are_named_by_paths(void **state)
{
    (void)state;
    struct schema_check check = {.type = SCHEMA_MUTUALLY_REQUIRED, .fields = a_host};
    assert_check(check, "{'a':'x','in':{'host':'h'}}", "{}");
    assert_check(check, "{'a':'x','in':{}}",
                 "{'@entity':['all or none of these fields must be set: \\u0027a\\u0027, "
                 "\\u0027in.host\\u0027']}");
}

static void a_condition_lays_its_constraints_over_the_field(void **state)
{
    (void)state;
    json_t *redis = json_of("'redis'");
    struct schema_field if_match = {.eq = redis};
    struct schema_field then_match = {.required = true};
    struct schema_check check = {.type = SCHEMA_CONDITIONAL,
                                 .fields = a_host,
                                 .if_match = &if_match,
                                 .then_match = &then_match};
    assert_check(check, "{'a':'local'}", "{}");
    assert_check(check, "{}", "{}");
    assert_check(check, "{'a':'redis','in':{'host':'h'}}", "{}");
    assert_check(check, "{'a':'redis'}",
                 "{'@entity':['failed conditional validation given value of field "
                 "\\u0027a\\u0027'],'in':{'host':'required field missing'}}");
    check.then_error = "say where redis is";
    assert_check(check, "{'a':'redis'}",
                 "{'@entity':['say where redis is'],'in':{'host':'required field missing'}}");
    json_decref(redis);
}

static void a_condition_of_another_type_than_text_works(void **state)
{
    (void)state;
    static const struct schema_field typed[] = {{.name = "on", .type = SCHEMA_BOOLEAN},
                                                {.name = "size", .type = SCHEMA_INTEGER}};
    static const char *const on_size[] = {"on", "size", NULL};
    json_t *yes = json_true();
    struct schema_field if_match = {.eq = yes};
    struct schema_field then_match = {.has_gt = true, .gt = 5};
    struct schema_check check = {.type = SCHEMA_CONDITIONAL,
                                 .fields = on_size,
                                 .if_match = &if_match,
                                 .then_match = &then_match};
    struct schema schema = {.name = "test", .record = {typed, 2, &check, 1}};
    static const struct {
        const char *json;
        bool is_fine;
    } cases[] = {{"{'on':true,'size':6}", true},
                 {"{'on':false,'size':5}", true},
                 {"{'on':true,'size':5}", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct outcome outcome = process_with(&schema, SCHEMA_INSERT, cases[i].json);
        assert_int_equal(outcome.message == NULL, cases[i].is_fine);
        outcome_clear(&outcome);
    }
}

static void complain(const void *context, const json_t *entity, struct schema_errors *errors)
{
    assert_non_null(json_object_get(entity, "a"));
    schema_errors_add(errors, "@entity", "%s", (const char *)context);
    schema_errors_add(errors, "in.host", "wrong");
}

static void code_reports_where_it_wants(void **state)
{
    (void)state;
    struct schema_check check = {
        .type = SCHEMA_CUSTOM, .fields = a_b, .run = complain, .context = "bad"};
    assert_check(check, "{'a':'x'}", "{'@entity':['bad'],'in':{'host':'wrong'}}");
}

static void code_does_not_see_fields_that_are_wrong(void **state)
{
    (void)state;
    struct schema_check check = {
        .type = SCHEMA_CUSTOM, .fields = a_b, .run = complain, .context = "bad"};
    assert_check(check, "{'b':1}", "{'b':'expected a string'}");
    check.fields = NULL;
    assert_check(check, "{'b':1}",
                 "{'@entity':['bad'],'b':'expected a string','in':{'host':'wrong'}}");
    check.fields = a_host;
    assert_check(check, "{'in':{'host':1}}", "{'in':{'host':'expected a string'}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_fields_are_counted),
        cmocka_unit_test(an_empty_list_counts_as_nothing),
        cmocka_unit_test(fields_inside_of_records_are_named_by_paths),
        cmocka_unit_test(a_condition_lays_its_constraints_over_the_field),
        cmocka_unit_test(a_condition_of_another_type_than_text_works),
        cmocka_unit_test(code_reports_where_it_wants),
        cmocka_unit_test(code_does_not_see_fields_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
