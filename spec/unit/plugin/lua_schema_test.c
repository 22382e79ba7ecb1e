/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of runtime/plugin/lua_schema.c and lua_schema_read.c with kong/db/schema/typedefs.lua: a
 * schema.lua is written to a directory of its own, loaded, and rows are checked against it by the
 * engine of config/schema.h. Run from the top of the source tree. */
#include "plugin/lua_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/schema.h"
#include "fake_pdk.h"
#include "plugin/plugin.h"

/* A schema whose `config` has these fields, and what else the record holds. */
#define CONFIG(fields)                                                                             \
    "local typedefs = require 'kong.db.schema.typedefs'\n"                                         \
    "return { name = 'unit', fields = {\n"                                                         \
    "  { protocols = typedefs.protocols_http },\n"                                                 \
    "  { config = { type = 'record', fields = { " fields " } } },\n"                               \
    "} }"
#define CONFIG_AND(fields, more)                                                                   \
    "local typedefs = require 'kong.db.schema.typedefs'\n"                                         \
    "return { name = 'unit', fields = {\n"                                                         \
    "  { config = { type = 'record', fields = { " fields " }, " more " } },\n"                     \
    "} }"

struct fixture {
    char directory[64];
    char lua_path[512];
    struct plugin_search search;
    struct pdk_worker worker;
    struct pdk kong;
    struct lua_schema *schema;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[128];
    assert_non_null(f);
    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/lua_schema_test.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(path, sizeof(path), "%s/unit", f->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(f->lua_path, sizeof(f->lua_path), "%s/?.lua;./pdk/lua/?.lua;./plugins-lua/?.lua",
                   f->directory);
    f->search.lua_path = f->lua_path;
    f->search.lua_cpath = "";
    f->kong = fake_pdk(&f->worker);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[256];
    lua_schema_destroy(f->schema);
    (void)snprintf(path, sizeof(path), "%s/unit/schema.lua", f->directory);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/unit", f->directory);
    (void)rmdir(path);
    (void)rmdir(f->directory);
    free(f);
    return 0;
}

static void write_schema(const struct fixture *f, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/unit/schema.lua", f->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void load(struct fixture *f, const char *text)
{
    char *error = NULL;
    write_schema(f, text);
    f->schema = lua_schema_load("unit", &f->search, &f->kong, NULL, &error);
    if (f->schema == NULL)
        fail_msg("%s", error);
}

/* Checks {"config": <config>}; returns the processed row and the message ("" if it is fine). */
static json_t *process(struct fixture *f, const char *config, char message[512])
{
    struct schema_errors *errors = schema_errors_create();
    json_error_t reason;
    json_t *value = json_loads(config, JSON_DECODE_ANY, &reason);
    assert_non_null(value);
    json_t *row = json_pack("{s:o}", "config", value);
    schema_process(lua_schema_get(f->schema), SCHEMA_INSERT, row, NULL, NULL, errors);
    char *text = schema_errors_is_empty(errors) ? NULL : schema_errors_message(errors);
    (void)snprintf(message, 512, "%s", text == NULL ? "" : text);
    free(text);
    schema_errors_destroy(errors);
    return row;
}

static void assert_fine(struct fixture *f, const char *config)
{
    char message[512];
    json_decref(process(f, config, message));
    assert_string_equal(message, "");
}

static void assert_refused(struct fixture *f, const char *config, const char *reason)
{
    char message[512];
    json_decref(process(f, config, message));
    if (strstr(message, reason) == NULL)
        fail_msg("expected \"%s\" for %s, got \"%s\"", reason, config, message);
}

/* `text`: the processed config as JSON with sorted keys. */
static void assert_becomes(struct fixture *f, const char *config, const char *text)
{
    char message[512];
    json_t *row = process(f, config, message);
    assert_string_equal(message, "");
    char *found = json_dumps(json_object_get(row, "config"), JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(found, text);
    free(found);
    json_decref(row);
}

static void a_plugin_without_schema_has_an_empty_config(void **state)
{
    struct fixture *f = *state;
    char *error = NULL;
    f->schema = lua_schema_load("unit", &f->search, &f->kong, NULL, &error);
    assert_non_null(f->schema);
    assert_fine(f, "{}");
    assert_refused(f, "{\"x\":1}", "unknown field");
}

static void defaults_types_and_bounds_are_kongs(void **state)
{
    struct fixture *f = *state;
    load(f, CONFIG("{ text = { type = 'string', default = 'x', len_max = 3 } },\n"
                   "{ count = { type = 'integer', default = 5, between = { 1, 9 } } },\n"
                   "{ on = { type = 'boolean', default = false } },\n"
                   "{ list = { type = 'array', default = {}, elements = { type = 'string',"
                   "  one_of = { 'a', 'b' } } } },\n"
                   "{ map = { type = 'map', keys = { type = 'string' },"
                   "  values = { type = 'number', gt = 0 } } },\n"
                   "{ inner = { type = 'record', required = true, fields = {"
                   "  { host = { type = 'string', required = false } },"
                   "  { port = typedefs.port { default = 80 } } } } }"));
    assert_becomes(f, "{}",
                   "{\"count\":5,\"inner\":{\"host\":null,\"port\":80},\"list\":[],\"map\":null,"
                   "\"on\":false,\"text\":\"x\"}");
    assert_refused(f, "{\"text\":\"four\"}", "length must be at most 3");
    assert_refused(f, "{\"count\":0}", "value should be between 1 and 9");
    assert_refused(f, "{\"count\":1.5}", "expected an integer");
    assert_refused(f, "{\"list\":[\"c\"]}", "expected one of: a, b");
    assert_refused(f, "{\"map\":{\"k\":0}}", "value must be greater than 0");
    assert_refused(f, "{\"inner\":{\"port\":70000}}", "value should be between 0 and 65535");
}

static void patterns_use_their_own_messages(void **state)
{
    struct fixture *f = *state;
    load(
        f,
        CONFIG(
            "{ a = { type = 'string', match = '^%l+$' } },\n"
            "{ b = { type = 'string', match_none = { { pattern = '%s', err = 'no spaces' } } } },\n"
            "{ c = { type = 'string', match_any = { patterns = { '^1', '^2' }, err = 'one or two' "
            "} } },\n"
            "{ d = { type = 'string', not_match = 'x', err = 'mine' } }"));
    assert_fine(f, "{\"a\":\"abc\",\"b\":\"x\",\"c\":\"21\"}");
    assert_refused(f, "{\"a\":\"A\"}", "invalid value: A");
    assert_refused(f, "{\"b\":\"x y\"}", "no spaces");
    assert_refused(f, "{\"c\":\"3\"}", "one or two");
    assert_refused(f, "{\"d\":\"x\"}", "mine");
}

static void a_custom_validator_decides_in_lua(void **state)
{
    struct fixture *f = *state;
    load(f,
         CONFIG("{ even = { type = 'integer', custom_validator = function(n)\n"
                "  if n == 13 then error('boom') end\n"
                "  if n == 15 then while true do end end\n"
                "  return n % 2 == 0, 'odd: ' .. n end } },\n"
                "{ plain = { type = 'string', custom_validator = function() return false end } }"));
    assert_fine(f, "{\"even\":2}");
    assert_refused(f, "{\"even\":3}", "odd: 3");
    assert_refused(f, "{\"even\":13}", "the plugin's validator failed");
    assert_refused(f, "{\"even\":15}", "the plugin's validator failed");
    assert_refused(f, "{\"plain\":\"x\"}", "invalid value");
    assert_fine(f, "{\"even\":4}");
}

static void entity_checks_see_the_whole_record(void **state)
{
    struct fixture *f = *state;
    load(f,
         CONFIG_AND("{ a = { type = 'number' } }, { b = { type = 'number' } },\n"
                    "{ kind = { type = 'string' } }, { host = { type = 'string' } }",
                    "entity_checks = {\n"
                    "  { at_least_one_of = { 'a', 'b' } },\n"
                    "  { conditional = { if_field = 'kind', if_match = { eq = 'remote' },"
                    "    then_field = 'host', then_match = { required = true } } },\n"
                    "  { custom_entity_check = { field_sources = { 'a', 'b' }, fn = function(e)\n"
                    "    if e.a < e.b then return true end\n"
                    "    return nil, 'a must be below b' end } },\n"
                    "  { mutually_exclusive_sets = { set1 = { 'b' }, set2 = { 'host' } } } }"));
    assert_fine(f, "{\"a\":1,\"b\":2}");
    assert_fine(f, "{\"a\":3}"); /* the custom check needs both */
    assert_refused(f, "{}", "at least one of these fields must be non-empty: 'a', 'b'");
    assert_refused(f, "{\"a\":3,\"b\":2}", "a must be below b");
    assert_refused(f, "{\"a\":3,\"kind\":\"remote\"}",
                   "failed conditional validation given value of field 'kind'");
    assert_refused(f, "{\"a\":1,\"b\":2,\"host\":\"h\"}", "these sets are mutually exclusive");
}

static void a_shorthand_that_renames_is_an_alias(void **state)
{
    struct fixture *f = *state;
    load(f, CONFIG_AND(
                "{ redis = { type = 'record', required = true, fields = {"
                "  { host = { type = 'string' } }, { port = { type = 'integer', default = 6379 } } "
                "} } }",
                "shorthand_fields = {\n"
                "  { redis_host = { type = 'string', func = function(v)"
                "    return { redis = { host = v } } end } },\n"
                "  { redis_port = { type = 'integer', translate_backwards = { 'redis', 'port' },"
                "    func = print } },\n"
                "  { computed = { type = 'string', func = function(v) return { redis = { host = v "
                ".. '!' } }"
                "    end } } }"));
    char message[512];
    json_t *row = process(f, "{\"redis_host\":\"h\",\"redis_port\":1}", message);
    assert_string_equal(message, "");
    json_t *redis = json_object_get(json_object_get(row, "config"), "redis");
    assert_string_equal(json_string_value(json_object_get(redis, "host")), "h");
    assert_int_equal(json_integer_value(json_object_get(redis, "port")), 1);
    json_decref(row);
    assert_refused(f, "{\"computed\":\"h\"}", "unknown field");
}

static void typedefs_check_names_addresses_and_urls(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *config, *reason; /* NULL: fine */
    } cases[] = {
        {"{\"host\":\"a.example\"}", NULL},
        {"{\"host\":\"a.example:80\"}", "must not have a port"},
        {"{\"host\":\"a b\"}", "invalid value: a b"},
        {"{\"ip\":\"10.0.0.1\"}", NULL},
        {"{\"ip\":\"2001:db8::1\"}", NULL},
        {"{\"ip\":\"10.0.0.256\"}", "not an ip address: 10.0.0.256"},
        {"{\"ip\":\"1:2:3:4:5:6:7:8:9\"}", "not an ip address"},
        {"{\"cidr\":\"10.0.0.0/8\"}", NULL},
        {"{\"cidr\":\"10.0.0.0/33\"}", "invalid ip or cidr range: '10.0.0.0/33'"},
        {"{\"url\":\"https://user@h.example:8443/path?x\"}", NULL},
        {"{\"url\":\"h.example/path\"}", "missing scheme in url"},
        {"{\"url\":\"http:///path\"}", "missing host in url"},
        {"{\"wild\":\"*.example\"}", NULL},
        {"{\"wild\":\"a*.example\"}", "wildcard must be leftmost or rightmost character"},
        {"{\"wild\":\"*.a.*\"}", "only one wildcard must be specified"},
        {"{\"path\":\"/a/b\"}", NULL},
        {"{\"path\":\"a\"}", "should start with: /"},
        {"{\"header\":\"X-Y\"}", NULL},
        {"{\"header\":\"X Y\"}", "bad header name 'X Y'"},
        {"{\"tags\":[\"a\",\"b,c\"]}", "invalid tag 'b,c'"},
        {"{\"method\":\"post\"}", "invalid value: post"},
    };
    load(
        f,
        CONFIG(
            "{ host = typedefs.host }, { ip = typedefs.ip }, { cidr = typedefs.ip_or_cidr },\n"
            "{ url = typedefs.url }, { wild = typedefs.wildcard_host }, { path = typedefs.path },\n"
            "{ header = typedefs.header_name }, { tags = typedefs.tags },\n"
            "{ method = typedefs.http_method }"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].reason == NULL)
            assert_fine(f, cases[i].config);
        else
            assert_refused(f, cases[i].config, cases[i].reason);
    }
}

static void scopes_and_protocols_are_pinned_beside_config(void **state)
{
    struct fixture *f = *state;
    load(f, "local typedefs = require 'kong.db.schema.typedefs'\n"
            "return { name = 'unit', fields = { { consumer = typedefs.no_consumer },\n"
            "  { protocols = typedefs.protocols { default = { 'http' } } } } }");
    const struct schema_record *record = &lua_schema_get(f->schema)->record;
    const struct schema_field *consumer = schema_record_field(record, "consumer");
    const struct schema_field *protocols = schema_record_field(record, "protocols");
    const struct schema_field *config = schema_record_field(record, "config");
    assert_int_equal(consumer->type, SCHEMA_FOREIGN);
    assert_true(json_is_null(consumer->eq));
    assert_string_equal(consumer->reference, "consumers");
    assert_int_equal(json_array_size(protocols->default_value), 1);
    assert_int_equal(config->type, SCHEMA_RECORD);
    assert_true(config->required);
}

static void a_wrong_schema_is_refused_with_its_field(void **state)
{
    static const struct {
        const char *schema, *reason;
    } cases[] = {
        {"return 5", "schema.lua must return a table, got a number"},
        {"return {}", "`fields` must be an array"},
        {CONFIG("{ a = { type = 'strin' } }"), "schema.lua, config.a: unknown type: strin"},
        {CONFIG("{ a = {} }"), "config.a: the field has no `type`"},
        {CONFIG("{ a = 1 }"), "config.a: expected a table that describes the field"},
        {CONFIG("{ a = { type = 'string', default = print } }"), "default holds what JSON cannot"},
        {CONFIG("{ a = { type = 'number', between = 1 } }"), "between must be an array of two"},
        {CONFIG("{ a = { type = 'string', custom_validator = 1 } }"), "expected a function"},
        {CONFIG("'a'"), "fields must be an array of {name = {...}}"},
        {CONFIG_AND("", "entity_checks = { { no_such_check = {} } }"),
         "unknown entity check: no_such_check"},
        {"local f = { type = 'array' } f.elements = f return { fields = { { a = f } } }",
         "nested too deeply"},
        {"return { fields = { { config = { type = 'string' } } } }", "`config` must be a record"},
        {"return require('kong.tools.absent')", "module 'kong.tools.absent' not found"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *error = NULL;
        write_schema(f, cases[i].schema);
        assert_null(lua_schema_load("unit", &f->search, &f->kong, NULL, &error));
        if (strstr(error, cases[i].reason) == NULL)
            fail_msg("expected \"%s\" in: %s", cases[i].reason, error);
        free(error);
    }
}

static void the_sample_plugins_schema_checks_its_headers(void **state)
{
    struct fixture *f = *state;
    char *error = NULL;
    f->schema = lua_schema_load("hello-header", &f->search, &f->kong, NULL, &error);
    assert_non_null(f->schema);
    assert_becomes(f, "{}",
                   "{\"greeting\":\"hello\",\"name_consumer\":false,\"request_header\":\"X-Hello\","
                   "\"response_header\":\"X-Hello\"}");
    assert_refused(f, "{\"request_header\":\"Host\"}",
                   "must not be a header of the message framing");
    assert_refused(f, "{\"greeting\":\"a\\nb\"}", "invalid value");
}

static void the_whole_description_is_shown(void **state)
{
    struct fixture *f = *state;
    load(f, CONFIG("{ a = { type = 'string', default = 'x', description = 'An a.' } }"));
    json_t *shown = schema_describe(&lua_schema_get(f->schema)->record);
    char *text = json_dumps(shown, JSON_COMPACT);
    assert_non_null(strstr(text, "An a."));
    free(text);
    json_decref(shown);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plugin_without_schema_has_an_empty_config),
        TEST(defaults_types_and_bounds_are_kongs),
        TEST(patterns_use_their_own_messages),
        TEST(a_custom_validator_decides_in_lua),
        TEST(entity_checks_see_the_whole_record),
        TEST(a_shorthand_that_renames_is_an_alias),
        TEST(typedefs_check_names_addresses_and_urls),
        TEST(scopes_and_protocols_are_pinned_beside_config),
        TEST(a_wrong_schema_is_refused_with_its_field),
        TEST(the_sample_plugins_schema_checks_its_headers),
        TEST(the_whole_description_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
