/* SPDX-License-Identifier: Apache-2.0 */
/* schema_describe_test.c -- descriptions as GET /schemas shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

/* Definition of a field in {"fields": [{name: definition}, ...]}; borrowed. */
static const json_t *definition(const json_t *description, const char *list, const char *name)
{
    const json_t *fields = json_object_get(description, list);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *found = json_object_get(json_array_get(fields, i), name);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void assert_json(const json_t *found, const char *expected)
{
    json_t *wanted = json_of(expected);
    char *text = found == NULL ? NULL : json_dumps(found, JSON_ENCODE_ANY);
    if (json_equal(found, wanted) == 0)
        fail_msg("%s, expected %s", text, expected);
    free(text);
    json_decref(wanted);
}

static void assert_member_of(const json_t *object, const char *name, const char *expected)
{
    assert_json(json_object_get(object, name), expected);
}

static void fields_are_shown_in_order_with_their_constraints(void **state)
{
    (void)state;
    json_t *service = schema_describe(&schema_find("services")->record);
    const json_t *fields = json_object_get(service, "fields");
    assert_string_equal(json_object_iter_key(json_object_iter(json_array_get(fields, 0))), "id");
    const json_t *port = definition(service, "fields", "port");
    assert_member_of(port, "type", "'integer'");
    assert_member_of(port, "required", "true");
    assert_member_of(port, "default", "80");
    assert_member_of(port, "between", "[0,65535]");
    assert_null(json_object_get(port, "unique"));
    const json_t *id = definition(service, "fields", "id");
    assert_member_of(id, "uuid", "true");
    assert_member_of(id, "auto", "true");
    assert_member_of(definition(service, "fields", "name"), "unique", "true");
    assert_member_of(definition(service, "fields", "client_certificate"), "reference",
                     "'certificates'");
    assert_member_of(definition(service, "fields", "tags"), "elements",
                     "{'type':'string','required':true}");
    assert_member_of(definition(service, "fields", "path"), "match_none",
                     "[{'pattern':'//','err':'must not have empty segments'}]");
    assert_null(definition(service, "fields", "url"));
    assert_member_of(definition(service, "shorthand_fields", "url"), "type", "'string'");
    json_decref(service);
}

static void conditions_are_shown_and_code_is_not(void **state)
{
    (void)state;
    json_t *service = schema_describe(&schema_find("services")->record);
    assert_json(
        json_array_get(json_object_get(service, "entity_checks"), 0),
        "{'conditional':{'if_field':'protocol','if_match':{'one_of':['tcp','tls','udp','grpc',"
        "'grpcs']},'then_field':'path','then_match':{'eq':null}}}");
    json_decref(service);
    json_t *route = schema_describe(&schema_find("routes")->record);
    assert_int_equal(json_array_size(json_object_get(route, "entity_checks")), 1);
    assert_member_of(definition(route, "fields", "protocols"), "mutually_exclusive_subsets",
                     "[['http','https'],['tcp','tls','udp'],['tls_passthrough'],['grpc','grpcs']]");
    const json_t *hosts = json_object_get(definition(route, "fields", "hosts"), "elements");
    assert_member_of(
        hosts, "match_any",
        "{'patterns':['^%*%.','%.%*$','^[^*]*$'],'err':'invalid wildcard: must be placed "
        "at leftmost or rightmost label'}");
    json_decref(route);
    json_t *consumer = schema_describe(&schema_find("consumers")->record);
    assert_member_of(consumer, "entity_checks", "[{'at_least_one_of':['custom_id','username']}]");
    json_decref(consumer);
    json_t *credential = schema_describe(&schema_find("keyauth_credentials")->record);
    assert_member_of(credential, "entity_checks", "[]");
    json_decref(credential);
}

static void a_plugin_shows_its_records_and_old_names(void **state)
{
    (void)state;
    json_t *plugin = schema_describe(&find_plugin(NULL, SLICE("limits"))->record);
    assert_member_of(definition(plugin, "fields", "consumer"), "eq", "null");
    const json_t *config = definition(plugin, "fields", "config");
    assert_member_of(config, "type", "'record'");
    assert_member_of(definition(config, "fields", "minute"), "gt", "0");
    assert_non_null(definition(definition(config, "fields", "redis"), "fields", "port"));
    assert_member_of(definition(config, "shorthand_fields", "redis_host"), "deprecation",
                     "{'replaced_with':[{'path':['redis','host']}]}");
    assert_member_of(plugin, "entity_checks",
                     "[{'at_least_one_of':['config.minute','config.hour']}]");
    json_decref(plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_shown_in_order_with_their_constraints),
        cmocka_unit_test(conditions_are_shown_and_code_is_not),
        cmocka_unit_test(a_plugin_shows_its_records_and_old_names),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    schema_shutdown();
    return failed;
}
