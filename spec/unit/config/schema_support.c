/* SPDX-License-Identifier: Apache-2.0 */
/* schema_support.c -- helpers of the tests of descriptions. */
#include "config/schema_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

json_t *json_of(const char *text)
{
    char *quoted = strdup(text);
    assert_non_null(quoted);
    for (char *c = quoted; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    json_error_t error;
    json_t *value = json_loads(quoted, JSON_DECODE_ANY, &error);
    if (value == NULL)
        fail_msg("%s in %s", error.text, quoted);
    free(quoted);
    return value;
}

struct outcome process_with(const struct schema *schema, enum schema_mode mode, const char *json)
{
    struct outcome outcome = {.row = json_of(json)};
    struct schema_errors *errors = schema_errors_create();
    assert_non_null(errors);
    schema_process(schema, mode, outcome.row, find_plugin, NULL, errors);
    outcome.fields = schema_errors_fields(errors);
    outcome.message = schema_errors_is_empty(errors) ? NULL : schema_errors_message(errors);
    schema_errors_destroy(errors);
    return outcome;
}

struct outcome process(const char *schema, enum schema_mode mode, const char *json)
{
    const struct schema *found = schema_find(schema);
    assert_non_null(found);
    return process_with(found, mode, json);
}

void outcome_clear(struct outcome *outcome)
{
    json_decref(outcome->row);
    json_decref(outcome->fields);
    free(outcome->message);
}

static void assert_same(const json_t *found, const json_t *expected, const char *context)
{
    if (json_equal(found, expected) != 0)
        return;
    char *is = found == NULL ? NULL : json_dumps(found, JSON_ENCODE_ANY);
    char *should = json_dumps(expected, JSON_ENCODE_ANY);
    print_error("%s\n  found:    %s\n  expected: %s\n", context, is == NULL ? "nothing" : is,
                should);
    free(is);
    free(should);
    fail();
}

void assert_errors(const char *schema, const char *json, const char *expected)
{
    struct outcome outcome = process(schema, SCHEMA_INSERT, json);
    json_t *tree = json_of(expected);
    assert_same(outcome.fields, tree, json);
    json_decref(tree);
    outcome_clear(&outcome);
}

void assert_fine(const char *schema, const char *json)
{
    assert_errors(schema, json, "{}");
}

void assert_member(const json_t *row, const char *path, const char *expected)
{
    struct slice rest = slice_of(path), part;
    json_t *value = json_of(expected);
    const json_t *found = row;
    while (slice_split(&rest, '.', &part))
        found = json_object_getn(found, part.ptr, part.len);
    assert_same(found, value, path);
    json_decref(value);
}

struct schema one_field(const struct schema_field *field)
{
    return (struct schema){.name = "test", .collection = "test", .record = {field, 1, NULL, 0}};
}

/* ---------------------------------------------------------------------------------- "limits" */

static const struct schema_field redis_fields[] = {
    {.name = "host", .type = SCHEMA_STRING},
    {.name = "port", .type = SCHEMA_INTEGER, .has_between = true, .between = {0, 65535}},
};
static const struct schema_record redis = {redis_fields, 2, NULL, 0};
static const struct schema_field config_fields[] = {
    {.name = "minute", .type = SCHEMA_NUMBER, .has_gt = true},
    {.name = "hour", .type = SCHEMA_NUMBER, .has_gt = true},
    {.name = "redis", .type = SCHEMA_RECORD, .required = true, .record = &redis},
    {.name = "redis_host", .type = SCHEMA_STRING, .redirect = "redis.host"},
    {.name = "redis_port", .type = SCHEMA_INTEGER, .redirect = "redis.port"},
};
static const struct schema_record config = {config_fields, 5, NULL, 0};

const struct schema *find_plugin(void *context, struct slice name)
{
    static const char *const windows[] = {"config.minute", "config.hour", NULL};
    static const struct schema_check checks[] = {
        {.type = SCHEMA_AT_LEAST_ONE_OF, .fields = windows}};
    static json_t *null_value;
    static struct schema_field fields[2];
    static struct schema schema;
    (void)context;
    if (null_value == NULL)
        null_value = json_null(); /* a constant of jansson: nothing to free */
    fields[0] = (struct schema_field){
        .name = "consumer", .type = SCHEMA_FOREIGN, .reference = "consumers", .eq = null_value};
    fields[1] = (struct schema_field){.name = "config", .type = SCHEMA_RECORD, .record = &config};
    schema = (struct schema){.name = "limits", .record = {fields, 2, checks, 1}};
    return slice_eq(name, SLICE("limits")) ? &schema : NULL;
}
