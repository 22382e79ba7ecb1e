/* SPDX-License-Identifier: Apache-2.0 */
/* entities_test.c -- the core entities: what they accept, what they say, what they become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

#define UUID "fd02801f-0957-4a15-a55a-c8d9606f30b5"

static void assert_message(const char *schema, const char *json, const char *message)
{
    struct outcome outcome = process(schema, SCHEMA_INSERT, json);
    assert_non_null(outcome.message);
    assert_string_equal(outcome.message, message);
    outcome_clear(&outcome);
}

static void the_core_is_listed_parents_first(void **state)
{
    (void)state;
    static const char *const names[] = {"services", "routes", "consumers", "plugins",
                                        "keyauth_credentials"};
    const struct schema *const *core = schema_core();
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(core[i]->name, names[i]);
    assert_null(core[5]);
    assert_null(schema_find("upstreams"));
}

static void a_service_gets_all_its_defaults(void **state)
{
    (void)state;
    struct outcome service = process("services", SCHEMA_INSERT, "{'host':'a.test'}");
    assert_null(service.message);
    static const char *const expected[][2] = {
        {"name", "null"},
        {"protocol", "'http'"},
        {"host", "'a.test'"},
        {"port", "80"},
        {"path", "null"},
        {"retries", "5"},
        {"tags", "null"},
        {"client_certificate", "null"},
        {"tls_verify", "null"},
        {"enabled", "true"},
        {"tls_verify_depth", "null"},
        {"ca_certificates", "null"},
        {"read_timeout", "60000"},
        {"write_timeout", "60000"},
        {"connect_timeout", "60000"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        assert_member(service.row, expected[i][0], expected[i][1]);
    assert_int_equal(json_object_size(service.row), 18);
    outcome_clear(&service);
}

static void services_say_what_is_wrong_with_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'name':'a'}", "{'host':'required field missing'}"},
        {"{'host':'a.test','nope':1}", "{'nope':'unknown field'}"},
        {"{'host':'a.test','name':'a b'}",
         "{'name':'invalid value \\u0027a b\\u0027: the only accepted ascii characters are "
         "alphanumerics or ., -, _, and ~'}"},
        {"{'host':'a.test:80'}", "{'host':'must not have a port'}"},
        {"{'host':'a.test:99999'}", "{'host':'must not have a port'}"},
        {"{'host':'a test'}", "{'host':'invalid value: a test'}"},
        {"{'host':'300.1.1.1'}", "{'host':'invalid value: 300.1.1.1'}"},
        {"{'host':'a.test','port':65536}", "{'port':'value should be between 0 and 65535'}"},
        {"{'host':'a.test','port':'80'}", "{'port':'expected an integer'}"},
        {"{'host':'a.test','retries':-1}", "{'retries':'value should be between 0 and 32767'}"},
        {"{'host':'a.test','read_timeout':0}",
         "{'read_timeout':'value should be between 1 and 2147483646'}"},
        {"{'host':'a.test','protocol':'ws'}", "{'protocol':'expected one of: grpc, grpcs, http, "
                                              "https, tcp, tls, tls_passthrough, udp'}"},
        {"{'host':'a.test','path':'a'}", "{'path':'should start with: /'}"},
        {"{'host':'a.test','path':'/a//b'}", "{'path':'must not have empty segments'}"},
        {"{'host':'a.test','path':'/%zz'}",
         "{'path':'invalid url-encoded value: \\u0027%zz\\u0027'}"},
        {"{'host':'a.test','path':'/a b'}", "{'path':'invalid path: \\u0027/a b\\u0027 (characters "
                                            "outside of the reserved list of RFC "
                                            "3986 found)'}"},
        {"{'host':'a.test','enabled':null}", "{'enabled':'required field missing'}"},
        {"{'host':'a.test','tls_verify':true}",
         "{'tls_verify':'value must be null','@entity':['failed conditional validation given value "
         "of field \\u0027protocol\\u0027']}"},
        {"{'host':'a.test','protocol':'tcp','path':'/a'}",
         "{'path':'value must be null','@entity':['failed conditional validation given value of "
         "field \\u0027protocol\\u0027']}"},
        {"{'host':'a.test','tags':['a','b,c']}",
         "{'tags':[null,'invalid tag \\u0027b,c\\u0027: expected printable ascii (except `,` and "
         "`/`) or valid utf-8 sequences']}"},
        {"{'host':'a.test','tags':[null]}", "{'tags':['required field missing']}"},
        {"{'host':'a.test','id':'x'}", "{'id':'expected a valid UUID'}"},
        {"{'host':'a.test','protocol':'https','ca_certificates':['x']}",
         "{'ca_certificates':['expected a valid UUID']}"},
        {"{'host':'a.test','url':1}", "{'url':'expected a string'}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_errors("services", cases[i][0], cases[i][1]);
}

static void services_accept_the_good_neighbours(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{'host':'a.test','port':65535,'retries':32767,'read_timeout':1}",
        "{'host':'10.0.0.1','name':'a-b_c.d~1'}",
        "{'host':'::1','name':'\\u00e9t\\u00e9'}",
        "{'host':'under_score','path':'/a/%2Fb;c=1'}",
        "{'host':'a.test','protocol':'https','tls_verify':true,'tls_verify_depth':64}",
        "{'host':'a.test','protocol':'tls','ca_certificates':['" UUID "']}",
        "{'host':'a.test','tags':['a b','\\u00e9','~!']}",
        "{'host':'a.test','id':'" UUID "','created_at':12}",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_fine("services", rows[i]);
}

static void a_url_stands_for_four_fields(void **state)
{
    (void)state;
    static const char *const cases[][5] = {
        {"http://a.test", "'http'", "'a.test'", "80", "null"},
        {"https://a.test", "'https'", "'a.test'", "443", "null"},
        {"http://a.test:9001/v1/x", "'http'", "'a.test'", "9001", "'/v1/x'"},
        {"https://u:p@a.test:8443/?q=1#f", "'https'", "'a.test'", "8443", "'/'"},
        {"//a.test:443", "'https'", "'a.test'", "443", "null"},
        {"//a.test", "'http'", "'a.test'", "80", "null"},
        {"http://[::1]:8000/", "'http'", "'::1'", "8000", "'/'"},
        {"grpc://a.test", "'grpc'", "'a.test'", "80", "null"},
        {"tcp://127.0.0.1:5432", "'tcp'", "'127.0.0.1'", "5432", "null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *json = NULL;
        if (asprintf(&json, "{'url':'%s','port':1}", cases[i][0]) < 0)
            fail();
        struct outcome service = process("services", SCHEMA_INSERT, json);
        if (service.message != NULL)
            fail_msg("%s: %s", json, service.message);
        assert_member(service.row, "protocol", cases[i][1]);
        assert_member(service.row, "host", cases[i][2]);
        assert_member(service.row, "port", cases[i][3]);
        assert_member(service.row, "path", cases[i][4]);
        assert_null(json_object_get(service.row, "url"));
        outcome_clear(&service);
        free(json);
    }
}

static void a_bad_url_is_named_by_the_fields_that_it_sets(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'url':'http://'}", "{'host':'required field missing'}"},
        {"{'url':'ftp://a.test'}", "{'protocol':'expected one of: grpc, grpcs, http, https, tcp, "
                                   "tls, tls_passthrough, udp'}"},
        {"{'url':'http://a.test:x'}", "{'port':'expected an integer'}"},
        {"{'url':'http://a.test:70000'}", "{'port':'value should be between 0 and 65535'}"},
        {"{'url':''}", "{'url':'length must be at least 1','host':'required field missing'}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_errors("services", cases[i][0], cases[i][1]);
}

static void a_route_gets_all_its_defaults(void **state)
{
    (void)state;
    struct outcome route = process("routes", SCHEMA_INSERT, "{'paths':['/a']}");
    assert_null(route.message);
    static const char *const expected[][2] = {
        {"name", "null"},
        {"protocols", "['http','https']"},
        {"methods", "null"},
        {"hosts", "null"},
        {"paths", "['/a']"},
        {"headers", "null"},
        {"snis", "null"},
        {"sources", "null"},
        {"destinations", "null"},
        {"https_redirect_status_code", "426"},
        {"regex_priority", "0"},
        {"strip_path", "true"},
        {"path_handling", "'v0'"},
        {"preserve_host", "false"},
        {"request_buffering", "true"},
        {"response_buffering", "true"},
        {"service", "null"},
        {"tags", "null"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        assert_member(route.row, expected[i][0], expected[i][1]);
    assert_int_equal(json_object_size(route.row), 21);
    outcome_clear(&route);
}

static void routes_say_what_is_wrong_with_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'paths':['a']}", "{'paths':['should start with: / (fixed path) or ~/ (regex path)']}"},
        {"{'paths':['/a','/b//c']}", "{'paths':[null,'must not have empty segments']}"},
        {"{'paths':['/a/../b']}",
         "{'paths':['non-normalized path, consider use \\u0027/b\\u0027 instead']}"},
        {"{'paths':['/%7euser']}",
         "{'paths':['non-normalized path, consider use \\u0027/~user\\u0027 instead']}"},
        {"{'paths':['/a%2']}", "{'paths':['invalid url-encoded value: \\u0027%2\\u0027']}"},
        {"{'paths':['~/users/(foo/profile']}",
         "{'paths':['invalid regex: \\u0027/users/(foo/profile\\u0027 (PCRE returned: "
         "pcre2_compile() failed: missing closing parenthesis in "
         "\\u0022/users/(foo/profile\\u0022)'"
         "]}"},
        {"{'paths':[false]}", "{'paths':['expected a string']}"},
        {"{'paths':['']}", "{'paths':['length must be at least 1']}"},
        {"{'paths':'/a'}", "{'paths':'expected an array'}"},
        {"{'methods':['get']}", "{'methods':['invalid value: get']}"},
        {"{'hosts':['a b']}", "{'hosts':['invalid hostname: a b']}"},
        {"{'hosts':['example:']}", "{'hosts':['invalid hostname: example:']}"},
        {"{'hosts':['a..b']}", "{'hosts':['invalid hostname: a..b']}"},
        {"{'hosts':['a.test:100000']}", "{'hosts':['invalid port number']}"},
        {"{'hosts':['*.a.*']}", "{'hosts':['invalid wildcard: must have at most one wildcard']}"},
        {"{'hosts':['*a.test']}",
         "{'hosts':['invalid wildcard: must be placed at leftmost or rightmost label']}"},
        {"{'headers':{'Host':['a']}}",
         "{'headers':'cannot contain \\u0027host\\u0027 header, which must be specified in the "
         "\\u0027hosts\\u0027 attribute'}"},
        {"{'headers':{'a b':['x']}}",
         "{'headers':'bad header name \\u0027a b\\u0027, allowed characters are A-Z, a-z, 0-9, "
         "\\u0027_\\u0027, and \\u0027-\\u0027'}"},
        {"{'headers':{'x':'y'}}", "{'headers':'expected an array'}"},
        {"{'headers':{'x':['']}}", "{'headers':['length must be at least 1']}"},
        {"{'paths':['/'],'https_redirect_status_code':303}",
         "{'https_redirect_status_code':'expected one of: 426, 301, 302, 307, 308'}"},
        {"{'paths':['/'],'path_handling':'v2'}", "{'path_handling':'expected one of: v0, v1'}"},
        {"{'paths':['/'],'service':{'id':'x'}}", "{'service':{'id':'expected a valid UUID'}}"},
        {"{'paths':['/'],'service':'x'}", "{'service':{'id':'missing primary key'}}"},
        {"{'paths':['/'],'service':{'id':null}}", "{'service':{'id':'required field missing'}}"},
        {"{'paths':['/'],'protocols':null}", "{'protocols':'required field missing'}"},
        {"{'paths':['/'],'protocols':[]}", "{'protocols':'length must be at least 1'}"},
        {"{'paths':['/'],'protocols':['http','tcp']}",
         "{'protocols':'these sets are mutually exclusive: (\\u0027http\\u0027, "
         "\\u0027https\\u0027), "
         "(\\u0027tcp\\u0027, \\u0027tls\\u0027, \\u0027udp\\u0027)'}"},
        {"{'protocols':['https'],'snis':['*.b.*']}",
         "{'snis':['only one wildcard must be specified']}"},
        {"{'protocols':['https'],'snis':['10.0.0.1']}", "{'snis':['must not be an IP']}"},
        {"{'protocols':['https'],'snis':['a.test:1']}", "{'snis':['must not have a port']}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_errors("routes", cases[i][0], cases[i][1]);
}

static void routes_accept_the_good_neighbours(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{'paths':['/','/a/','/a%20b','~/users/(?<id>\\\\d+)$']}",
        "{'methods':['GET','CUSTOM']}",
        "{'hosts':['a.test','*.a.test','a.*','a.test:8080','10.0.0.1','[::1]:80']}",
        "{'headers':{'x-a':['1','2'],'x-b':['~*^a']}}",
        "{'protocols':['https'],'snis':['a.test','*.a.test']}",
        "{'protocols':['tcp'],'sources':[{'ip':'10.0.0.0/8'},{'port':80}]}",
        "{'protocols':['tls_passthrough'],'snis':['a.test']}",
        "{'protocols':['grpc','grpcs'],'paths':['/pkg.Service/']}",
        "{'paths':['/'],'service':{'id':'" UUID "'}}",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_fine("routes", rows[i]);
}

static void what_a_route_must_have_depends_on_its_protocols(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "schema violation (must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' "
               "when 'protocols' is 'https')"},
        {"{'protocols':['http']}",
         "schema violation (must set one of 'methods', 'hosts', 'headers', "
         "'paths' when 'protocols' is 'http')"},
        {"{'protocols':['grpc']}", "schema violation (must set one of 'hosts', 'headers', 'paths' "
                                   "when 'protocols' is 'grpc')"},
        {"{'protocols':['grpcs']}",
         "schema violation (must set one of 'hosts', 'headers', 'paths', "
         "'snis' when 'protocols' is 'grpcs')"},
        {"{'protocols':['tcp']}", "schema violation (must set one of 'sources', 'destinations', "
                                  "'snis' when 'protocols' is 'tcp', 'tls' or 'udp')"},
        {"{'protocols':['tls_passthrough']}",
         "schema violation (must set snis when 'protocols' is 'tls_passthrough')"},
        {"{'protocols':['tls'],'snis':['a.test'],'paths':['/']}",
         "schema violation (paths: cannot set 'paths' when 'protocols' is 'tcp', 'tls', "
         "'tls_passthrough' or 'udp')"},
        {"{'protocols':['http'],'paths':['/'],'sources':[{'port':1}]}",
         "schema violation (sources: cannot set 'sources' when 'protocols' is 'http' or 'https')"},
        {"{'protocols':['grpc'],'paths':['/'],'strip_path':true}",
         "schema violation (strip_path: cannot set 'strip_path' when 'protocols' is 'grpc' or "
         "'grpcs')"},
        {"{'protocols':['grpc'],'paths':['/'],'methods':['POST']}",
         "schema violation (methods: cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs')"},
        {"{'protocols':['tcp'],'sources':[{}]}",
         "schema violation (sources.1: {\n  [\"@entity\"] = {\n    \"at least one of these fields "
         "must be non-empty: 'ip', 'port'\"\n  }\n})"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_message("routes", cases[i][0], cases[i][1]);
}

static void server_names_need_tls(void **state)
{
    (void)state;
    assert_errors("routes", "{'protocols':['http'],'paths':['/'],'snis':['a.test']}",
                  "{'@entity':['\\u0027snis\\u0027 can only be set when \\u0027protocols\\u0027 is "
                  "\\u0027grpcs\\u0027, \\u0027https\\u0027, \\u0027tls\\u0027 or "
                  "\\u0027tls_passthrough\\u0027'],'snis':'length must be 0'}");
}

static void grpc_routes_keep_their_path(void **state)
{
    (void)state;
    struct outcome route = process("routes", SCHEMA_INSERT, "{'protocols':['grpc'],'paths':['/']}");
    assert_null(route.message);
    assert_member(route.row, "strip_path", "false");
    outcome_clear(&route);
}

static void a_bad_header_regex_is_refused(void **state)
{
    (void)state;
    assert_errors("routes", "{'headers':{'x':['~*(']}}",
                  "{'headers':'invalid regex: \\u0027(\\u0027 (PCRE returned: pcre2_compile() "
                  "failed: missing closing parenthesis in \\u0022(\\u0022)'}");
}

static void a_consumer_needs_a_name_of_some_kind(void **state)
{
    (void)state;
    assert_fine("consumers", "{'username':'a b'}");
    assert_fine("consumers", "{'custom_id':'7'}");
    assert_message("consumers", "{}",
                   "schema violation (at least one of these fields must be non-empty: 'custom_id', "
                   "'username')");
    struct outcome patched =
        process("consumers", SCHEMA_UPDATE, "{'username':null,'custom_id':null}");
    assert_string_equal(patched.message,
                        "schema violation (when updating, at least one of these fields must be "
                        "non-empty: 'custom_id', 'username')");
    outcome_clear(&patched);
}

static void plugins_are_checked_by_their_own_description(void **state)
{
    (void)state;
    assert_errors("plugins", "{}", "{'name':'required field missing'}");
    assert_errors("plugins", "{'name':'nope','x':1}",
                  "{'name':'plugin \\u0027nope\\u0027 not enabled; add it to the "
                  "\\u0027plugins\\u0027 configuration property'}");
    assert_errors("plugins", "{'name':'limits','config':{'minute':1,'x':1}}",
                  "{'config':{'x':'unknown field'}}");
    assert_errors("plugins", "{'name':'limits','config':{'minute':'a'}}",
                  "{'config':{'minute':'expected a number'}}");
    assert_errors("plugins", "{'name':'limits','consumer':{'id':'" UUID "'},'config':{'minute':1}}",
                  "{'consumer':'value must be null'}");
    assert_message("plugins", "{'name':'limits'}",
                   "schema violation (at least one of these fields must be non-empty: "
                   "'config.minute', 'config.hour')");
    assert_message("plugins", "{'name':'limits','config':{'minute':1,'redis':{'port':'x'}}}",
                   "schema violation (config.redis: {\n  port = \"expected an integer\"\n})");
}

static void a_plugin_gets_the_defaults_of_both_descriptions(void **state)
{
    (void)state;
    struct outcome plugin =
        process("plugins", SCHEMA_INSERT, "{'name':'limits','config':{'minute':5.0}}");
    assert_null(plugin.message);
    assert_member(plugin.row, "protocols", "['grpc','grpcs','http','https']");
    assert_member(plugin.row, "enabled", "true");
    assert_member(plugin.row, "instance_name", "null");
    assert_member(plugin.row, "consumer", "null");
    assert_member(plugin.row, "config",
                  "{'minute':5,'hour':null,'redis':{'host':null,'port':null},'redis_host':null,"
                  "'redis_port':null}");
    outcome_clear(&plugin);
}

static void credentials_get_a_key_and_a_time_to_live(void **state)
{
    (void)state;
    struct outcome one =
        process("keyauth_credentials", SCHEMA_INSERT, "{'consumer':{'id':'" UUID "'}}");
    struct outcome two = process("keyauth_credentials", SCHEMA_INSERT,
                                 "{'consumer':{'id':'" UUID "'},'ttl':100000000}");
    assert_null(one.message);
    assert_null(two.message);
    const char *key = json_string_value(json_object_get(one.row, "key"));
    assert_int_equal(strlen(key), 32);
    assert_int_equal(strspn(key, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
                     32);
    assert_string_not_equal(key, json_string_value(json_object_get(two.row, "key")));
    assert_member(one.row, "ttl", "null");
    assert_member(two.row, "ttl", "100000000");
    assert_null(json_object_get(one.row, "updated_at"));
    outcome_clear(&one);
    outcome_clear(&two);
    assert_errors("keyauth_credentials", "{'consumer':{'id':'" UUID "'},'ttl':100000001}",
                  "{'ttl':'must be an integer between 0 and 100000000'}");
    assert_errors("keyauth_credentials", "{'key':'k'}", "{'consumer':'required field missing'}");
    assert_errors("consumers", "{'username':'a','ttl':1}", "{'ttl':'unknown field'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_core_is_listed_parents_first),
        cmocka_unit_test(a_service_gets_all_its_defaults),
        cmocka_unit_test(services_say_what_is_wrong_with_them),
        cmocka_unit_test(services_accept_the_good_neighbours),
        cmocka_unit_test(a_url_stands_for_four_fields),
        cmocka_unit_test(a_bad_url_is_named_by_the_fields_that_it_sets),
        cmocka_unit_test(a_route_gets_all_its_defaults),
        cmocka_unit_test(routes_say_what_is_wrong_with_them),
        cmocka_unit_test(routes_accept_the_good_neighbours),
        cmocka_unit_test(what_a_route_must_have_depends_on_its_protocols),
        cmocka_unit_test(server_names_need_tls),
        cmocka_unit_test(grpc_routes_keep_their_path),
        cmocka_unit_test(a_bad_header_regex_is_refused),
        cmocka_unit_test(a_consumer_needs_a_name_of_some_kind),
        cmocka_unit_test(plugins_are_checked_by_their_own_description),
        cmocka_unit_test(a_plugin_gets_the_defaults_of_both_descriptions),
        cmocka_unit_test(credentials_get_a_key_and_a_time_to_live),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    schema_shutdown();
    return failed;
}
