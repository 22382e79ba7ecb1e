/* SPDX-License-Identifier: Apache-2.0 */
/* routes_test.c -- paths find their entries (admin/routes.c). */
#include "admin/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/schema.h"

static void run_nothing(struct call *call)
{
    call_empty(call, 200);
}

static const struct routes_entry fixed[] = {
    {.pattern = "/", .methods = ROUTES_GET, .run = run_nothing},
    {.pattern = "/plugins/enabled", .methods = ROUTES_GET, .run = run_nothing},
    {.pattern = "/schemas/{name}", .methods = ROUTES_GET, .run = run_nothing},
    {.pattern = "/schemas/plugins/{name}", .methods = ROUTES_GET, .run = run_nothing},
    {.pattern = "/schemas/{name}/validate", .methods = ROUTES_POST, .run = run_nothing},
    {.pattern = NULL},
};

static int set_up(void **state)
{
    *state = routes_create(fixed, schema_core());
    return *state == NULL;
}

static int tear_down(void **state)
{
    routes_destroy(*state);
    schema_shutdown();
    return 0;
}

/* The entry for GET `path`; *call keeps the answer and the parameters. */
static const struct routes_entry *find(const struct routes *routes, enum call_method method,
                                       const char *path, struct call *call)
{
    *call = (struct call){.method = method, .path = slice_of(path)};
    return routes_find(routes, call) ? call->route : NULL;
}

static void paths_find_their_patterns(void **state)
{
    static const struct {
        const char *path, *pattern;
    } examples[] = {
        {"/", "/"},
        {"/services", "/services"},
        {"/services/", "/services"},
        {"/services/a", "/services/{services}"},
        {"/services/a/", "/services/{services}"},
        {"/services/a/routes", "/services/{services}/routes"},
        {"/services/a/routes/b", "/services/{services}/routes/{routes}"},
        {"/routes/a/service", "/routes/{routes}/service"},
        {"/plugins/enabled", "/plugins/enabled"},
        {"/plugins/other", "/plugins/{plugins}"},
        {"/plugins/a/consumer", "/plugins/{plugins}/consumer"},
        {"/consumers/a/key-auth", "/consumers/{consumers}/key-auth"},
        {"/consumers/a/key-auth/k", "/consumers/{consumers}/key-auth/{keyauth_credentials}"},
        {"/key-auths", "/key-auths"},
        {"/key-auths/k/consumer", "/key-auths/{keyauth_credentials}/consumer"},
        {"/schemas/plugins", "/schemas/{name}"},
        {"/schemas/plugins/x", "/schemas/plugins/{name}"},
        {"/schemas/plugins/validate", "/schemas/plugins/{name}"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct call call;
        const struct routes_entry *entry = find(*state, CALL_GET, examples[i].path, &call);
        assert_non_null(entry);
        assert_string_equal(entry->pattern, examples[i].pattern);
        call_clear(&call);
    }
}

static void unknown_paths_are_not_found(void **state)
{
    static const char *const paths[] = {
        "",
        "/nope",
        "/services//",
        "//services",
        "/services/a/b",
        "/services//routes",
        "/Services",
        "/key-auth",
        "/keyauth_credentials",
        "/services/a/routes/b/c",
        "services",
        "/services/a%00b",
        "/services/%ff",
        "/services/a/routes/%c3%28",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct call call;
        assert_null(find(*state, CALL_GET, paths[i], &call));
        assert_int_equal(call.status, 404);
        call_clear(&call);
    }
}

static void parameters_are_decoded_after_the_path_was_split(void **state)
{
    struct call call;
    assert_non_null(find(*state, CALL_GET, "/services/a%2Fb+c/routes/%C3%A4%20%", &call));
    assert_string_equal(call.params[0], "a/b+c");
    assert_string_equal(call.params[1], "\xc3\xa4 %");
    call_clear(&call);
}

static void a_method_that_a_path_does_not_have_is_not_allowed(void **state)
{
    static const struct {
        enum call_method method;
        const char *path;
    } examples[] = {
        {CALL_PUT, "/services"},
        {CALL_DELETE, "/services"},
        {CALL_POST, "/services/a"},
        {CALL_POST, "/routes/a/service"},
        {CALL_GET, "/schemas/services/validate"},
        {CALL_OTHER, "/services"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct call call;
        assert_null(find(*state, examples[i].method, examples[i].path, &call));
        assert_int_equal(call.status, 405);
        call_clear(&call);
    }
}

static void options_are_answered_for_known_paths_only(void **state)
{
    struct call call;
    char allow[ROUTES_ALLOW_BYTES];
    assert_null(find(*state, CALL_OPTIONS, "/services/a", &call));
    assert_int_equal(call.status, 204);
    routes_allow(call.route, allow);
    assert_string_equal(allow, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
    call_clear(&call);
    assert_null(find(*state, CALL_OPTIONS, "/nope", &call));
    assert_int_equal(call.status, 404);
    assert_null(call.route);
    call_clear(&call);
}

static void the_list_is_sorted_by_segment(void **state)
{
    json_t *list = routes_list(*state);
    assert_non_null(list);
    assert_string_equal(json_string_value(json_array_get(list, 0)), "/");
    assert_string_equal(json_string_value(json_array_get(list, 1)), "/consumers");
    assert_string_equal(json_string_value(json_array_get(list, 2)), "/consumers/{consumers}");
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_patterns),
        cmocka_unit_test(unknown_paths_are_not_found),
        cmocka_unit_test(parameters_are_decoded_after_the_path_was_split),
        cmocka_unit_test(a_method_that_a_path_does_not_have_is_not_allowed),
        cmocka_unit_test(options_are_answered_for_known_paths_only),
        cmocka_unit_test(the_list_is_sorted_by_segment),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
