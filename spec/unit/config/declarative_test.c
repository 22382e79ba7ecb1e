/* SPDX-License-Identifier: Apache-2.0 */
/* declarative_test.c -- a document becomes rows: nesting, references, ids, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/declarative.h"
#include "config/schema_support.h"

#define UUID "11111111-2222-4333-8444-555555555555"

/* Rows of a document that is fine. */
static json_t *rows_of(const char *text)
{
    json_t *entities, *errors;
    enum declarative_result result =
        declarative_parse(slice_of(text), find_plugin, NULL, &entities, &errors);
    if (result != DECLARATIVE_OK) {
        char *lines = declarative_error_text(errors);
        fail_msg("%s", lines);
    }
    assert_null(errors);
    return entities;
}

static void assert_text(const json_t *rows, const char *table, size_t index, const char *path,
                        const char *expected)
{
    const json_t *row = json_array_get(json_object_get(rows, table), index);
    assert_non_null(row);
    assert_member(row, path, expected);
}

/* The errors of a document that is wrong, as a tree. */
static void assert_refused(const char *text, const char *expected)
{
    json_t *entities, *errors, *wanted = json_of(expected);
    enum declarative_result result =
        declarative_parse(slice_of(text), find_plugin, NULL, &entities, &errors);
    assert_int_equal(result, DECLARATIVE_INVALID);
    assert_null(entities);
    char *found = json_dumps(errors, 0);
    if (json_equal(errors, wanted) == 0)
        fail_msg("%s, expected %s", found, expected);
    free(found);
    json_decref(errors);
    json_decref(wanted);
}

static const char whole[] = "_format_version: '3.0'\n"
                            "_comment: for people\n"
                            "services:\n"
                            "- name: api\n"
                            "  url: http://a.test:9001\n"
                            "  _comment: also for people\n"
                            "  _ignore: [x]\n"
                            "  routes:\n"
                            "  - name: r1\n"
                            "    paths: [/a]\n"
                            "    plugins:\n"
                            "    - name: limits\n"
                            "      config: {hour: 7}\n"
                            "  plugins:\n"
                            "  - name: limits\n"
                            "    config: {minute: 5}\n"
                            "routes:\n"
                            "- name: r2\n"
                            "  paths: [/b]\n"
                            "  service: api\n"
                            "consumers:\n"
                            "- username: alice\n"
                            "  keyauth_credentials:\n"
                            "  - key: k1\n"
                            "keyauth_credentials:\n"
                            "- key: k2\n"
                            "  consumer: alice\n";

static void children_are_hoisted_and_references_resolved(void **state)
{
    (void)state;
    json_t *rows = rows_of(whole);
    assert_int_equal(json_array_size(json_object_get(rows, "services")), 1);
    assert_int_equal(json_array_size(json_object_get(rows, "routes")), 2);
    assert_int_equal(json_array_size(json_object_get(rows, "plugins")), 2);
    assert_int_equal(json_array_size(json_object_get(rows, "keyauth_credentials")), 2);
    assert_text(rows, "services", 0, "port", "9001");
    assert_text(rows, "services", 0, "retries", "5");
    const char service[] = "{'id':'995edec0-86bd-564e-8374-a276c5c0c8dc'}";
    const char consumer[] = "{'id':'b32379d9-3d28-5683-a79c-72139be6e34f'}";
    for (size_t i = 0; i < 2; i++) {
        assert_text(rows, "routes", i, "service", service);
        assert_text(rows, "keyauth_credentials", i, "consumer", consumer);
    }
    json_decref(rows);
}

/* The expected ids were computed by another implementation of version 5 UUIDs. */
static void missing_ids_follow_from_the_names(void **state)
{
    (void)state;
    json_t *rows =
        rows_of("{\"_format_version\":\"3.0\",\"services\":[{\"name\":\"api\",\"host\":"
                "\"a.test\",\"plugins\":[{\"name\":\"limits\",\"config\":{\"minute\":1}}],"
                "\"routes\":[{\"name\":\"r1\",\"paths\":[\"/\"]}]}],\"consumers\":[{"
                "\"username\":\"alice\",\"keyauth_credentials\":[{\"key\":\"k1\"}]}]}");
    assert_text(rows, "services", 0, "id", "'995edec0-86bd-564e-8374-a276c5c0c8dc'");
    assert_text(rows, "routes", 0, "id", "'4726a05a-d550-537e-9fc3-a07c7a1188c7'");
    assert_text(rows, "consumers", 0, "id", "'b32379d9-3d28-5683-a79c-72139be6e34f'");
    assert_text(rows, "plugins", 0, "id", "'515a1fdb-1146-5c96-8188-02738efa7e83'");
    assert_text(rows, "keyauth_credentials", 0, "id", "'66d9ea7d-ba80-508b-9a89-e2ca37ad8344'");
    json_decref(rows);
}

static void entries_without_a_name_get_random_ids(void **state)
{
    (void)state;
    const char text[] = "_format_version: '3.0'\nservices: [{host: a.test}, {host: a.test}]\n";
    json_t *rows = rows_of(text);
    const json_t *services = json_object_get(rows, "services");
    const json_t *one = json_object_get(json_array_get(services, 0), "id");
    assert_true(schema_is_uuid(slice_of(json_string_value(one))));
    assert_false(json_equal(one, json_object_get(json_array_get(services, 1), "id")));
    json_decref(rows);
}

static void a_parent_may_be_named_by_id_or_object(void **state)
{
    (void)state;
    json_t *rows = rows_of("_format_version: '3.0'\n"
                           "services: [{id: " UUID ", name: api, host: a.test}]\n"
                           "routes:\n"
                           "- {paths: [/a], service: " UUID "}\n"
                           "- {paths: [/b], service: {id: " UUID "}}\n"
                           "- {paths: [/c], service: {name: api}}\n"
                           "- {paths: [/d], service: api}\n");
    for (size_t i = 0; i < 4; i++)
        assert_text(rows, "routes", i, "service", "{'id':'" UUID "'}");
    json_decref(rows);
}

static void an_empty_document_is_an_empty_configuration(void **state)
{
    (void)state;
    json_t *rows = rows_of("_format_version: '3.0'\nservices:\nroutes: []\n");
    assert_int_equal(json_object_size(rows), 5);
    assert_int_equal(json_array_size(json_object_get(rows, "services")), 0);
    json_decref(rows);
}

static void regex_paths_of_old_formats_get_their_tilde(void **state)
{
    (void)state;
    const char *const formats[] = {"1.1", "2.1"};
    for (size_t i = 0; i < 2; i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "_format_version: '%s'\nroutes: [{paths: [/plain-1.2_~/%%20, '/re/(a|b)']}]\n",
                 formats[i]);
        json_t *rows = rows_of(text);
        assert_text(rows, "routes", 0, "paths", "['/plain-1.2_~/%20','~/re/(a|b)']");
        json_decref(rows);
    }
}

static void the_top_level_is_checked(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "{'_format_version':'required field missing'}"},
        {"_format_version: 3.0", "{'_format_version':'expected a string'}"},
        {"_format_version: '3.1'", "{'_format_version':'expected one of: 1.1, 2.1, 3.0'}"},
        {"{_format_version: '3.0', _info: {}}", "{'_info':'unknown field'}"},
        {"{_format_version: '3.0', nope: []}", "{'nope':'unknown field'}"},
        {"{_format_version: '3.0', _transform: 1}", "{'_transform':'expected a boolean'}"},
        {"{_format_version: '3.0', _comment: 1}", "{'_comment':'expected a string'}"},
        {"{_format_version: '3.0', _ignore: 1}", "{'_ignore':'expected an array'}"},
        {"{_format_version: '3.0', services: {}}", "{'services':'expected an array'}"},
        {"{_format_version: '3.0', services: [1]}", "{'services':['expected a record']}"},
        {"[1]", "{'error':'expected an object'}"},
        {"text", "{'error':'expected an object'}"},
        {"", "{'error':'expected an object'}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(cases[i][0], cases[i][1]);
}

static void errors_stand_where_the_entries_stand(void **state)
{
    (void)state;
    assert_refused("_format_version: '3.0'\n"
                   "services:\n"
                   "- {name: ok, host: a.test}\n"
                   "- name: api\n"
                   "  routes:\n"
                   "  - {paths: [x], service: ok}\n"
                   "  plugins: [{name: nope}]\n"
                   "consumers: [{}]\n",
                   "{'services':[null,{'host':'required field missing','routes':[{'paths':['should "
                   "start with: / (fixed path) or ~/ (regex path)'],'service':'unknown field'}],"
                   "'plugins':[{'name':'plugin \\u0027nope\\u0027 not enabled; add it to the "
                   "\\u0027plugins\\u0027 configuration property'}]}],'consumers':[{'@entity':['at "
                   "least one of these fields must be non-empty: \\u0027custom_id\\u0027, "
                   "\\u0027username\\u0027']}]}");
}

static void a_reference_to_nothing_is_named(void **state)
{
    (void)state;
    assert_refused("_format_version: '3.0'\nroutes: [{paths: [/], service: nope}]\n",
                   "{'routes':[{'service':'invalid reference \\u0027service: nope\\u0027 (no such "
                   "entry in \\u0027services\\u0027)'}]}");
    assert_refused("_format_version: '3.0'\nkeyauth_credentials: [{consumer: {id: " UUID "}}]\n",
                   "{'keyauth_credentials':[{'consumer':'invalid reference \\u0027consumer: " UUID
                   "\\u0027 (no such entry in \\u0027consumers\\u0027)'}]}");
    assert_refused("_format_version: '3.0'\nkeyauth_credentials: [{key: a}]\n",
                   "{'keyauth_credentials':[{'consumer':'required field missing'}]}");
}

static void no_two_entries_share_a_key(void **state)
{
    (void)state;
    assert_refused(
        "_format_version: '3.0'\n"
        "services: [{name: x, host: a.test}, {name: x, host: b.test}]\n",
        "{'services':[null,'uniqueness violation: \\u0027services\\u0027 entity with name "
        "set to \\u0027x\\u0027 already declared']}");
    assert_refused(
        "_format_version: '3.0'\n"
        "services: [{id: " UUID ", host: a.test}, {id: " UUID ", host: b.test}]\n",
        "{'services':[null,'uniqueness violation: \\u0027services\\u0027 entity with primary "
        "key set to \\u0027" UUID "\\u0027 already declared']}");
    assert_refused(
        "_format_version: '3.0'\n"
        "plugins: [{id: " UUID ", name: limits, config: {minute: 1}}, {name: limits, config: "
        "{minute: 1}}]\n",
        "{'plugins':[null,'uniqueness violation: \\u0027plugins\\u0027 entity with name set to "
        "\\u0027limits\\u0027 already declared']}");
}

static void one_plugin_may_have_several_scopes(void **state)
{
    (void)state;
    json_t *rows =
        rows_of("_format_version: '3.0'\n"
                "services: [{name: x, host: a.test, plugins: [{name: limits, config: {minute: "
                "1}}]}]\n"
                "plugins: [{name: limits, config: {minute: 1}}]\n");
    assert_int_equal(json_array_size(json_object_get(rows, "plugins")), 2);
    json_decref(rows);
}

static void a_document_is_not_changed(void **state)
{
    (void)state;
    json_t *document, *copy, *entities, *errors;
    char *error;
    assert_int_equal(declarative_decode(slice_of(whole), &document, &error), DECLARATIVE_OK);
    copy = json_deep_copy(document);
    assert_int_equal(declarative_check(document, find_plugin, NULL, &entities, &errors),
                     DECLARATIVE_OK);
    assert_true(json_equal(document, copy));
    json_decref(document);
    json_decref(copy);
    json_decref(entities);
}

static void the_terminal_gets_indented_lines(void **state)
{
    (void)state;
    json_t *errors = json_of("{'services':[null,{'host':'required field missing','routes':[{"
                             "'@entity':['a','b']}]}],'_format_version':'expected a string'}");
    char *text = declarative_error_text(errors);
    assert_string_equal(text, "in '_format_version': expected a string\n"
                              "in 'services':\n"
                              "  - in entry 2 of 'services':\n"
                              "    in 'host': required field missing\n"
                              "    in 'routes':\n"
                              "      - in entry 1 of 'routes':\n"
                              "        in '@entity':\n"
                              "          - in entry 1 of '@entity': a\n"
                              "          - in entry 2 of '@entity': b\n");
    free(text);
    json_decref(errors);
}

static void text_that_is_no_document_says_where(void **state)
{
    (void)state;
    json_t *entities, *errors;
    assert_int_equal(declarative_parse(SLICE("a: [1,\nb: }"), NULL, NULL, &entities, &errors),
                     DECLARATIVE_UNREADABLE);
    char *text = declarative_error_text(errors);
    const char expected[] = "failed parsing declarative configuration: line 2, column";
    assert_int_equal(strncmp(text, expected, sizeof(expected) - 1), 0);
    free(text);
    json_decref(errors);
}

static void files_are_read_and_missing_ones_named(void **state)
{
    (void)state;
    char path[] = "/tmp/declarative_test.XXXXXX";
    json_t *entities, *errors;
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, whole, sizeof(whole) - 1), sizeof(whole) - 1);
    close(descriptor);
    assert_int_equal(declarative_load_file(path, find_plugin, NULL, &entities, &errors),
                     DECLARATIVE_OK);
    json_decref(entities);
    unlink(path);
    assert_int_equal(declarative_load_file(path, find_plugin, NULL, &entities, &errors),
                     DECLARATIVE_UNREADABLE);
    char *text = declarative_error_text(errors);
    assert_non_null(strstr(text, path));
    assert_non_null(strstr(text, "No such file"));
    free(text);
    json_decref(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_are_hoisted_and_references_resolved),
        cmocka_unit_test(missing_ids_follow_from_the_names),
        cmocka_unit_test(entries_without_a_name_get_random_ids),
        cmocka_unit_test(a_parent_may_be_named_by_id_or_object),
        cmocka_unit_test(an_empty_document_is_an_empty_configuration),
        cmocka_unit_test(regex_paths_of_old_formats_get_their_tilde),
        cmocka_unit_test(the_top_level_is_checked),
        cmocka_unit_test(errors_stand_where_the_entries_stand),
        cmocka_unit_test(a_reference_to_nothing_is_named),
        cmocka_unit_test(no_two_entries_share_a_key),
        cmocka_unit_test(one_plugin_may_have_several_scopes),
        cmocka_unit_test(a_document_is_not_changed),
        cmocka_unit_test(the_terminal_gets_indented_lines),
        cmocka_unit_test(text_that_is_no_document_says_where),
        cmocka_unit_test(files_are_read_and_missing_ones_named),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    schema_shutdown();
    return failed;
}
