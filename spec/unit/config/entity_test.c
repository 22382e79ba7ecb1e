/* SPDX-License-Identifier: Apache-2.0 */
/* entity_test.c -- from stored rows to the structs of the data plane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "config/entity.h"

#define ID "\"id\":\"00000000-0000-4000-8000-000000000001\""

static json_t *parse(const char *text)
{
    json_t *row = json_loads(text, 0, NULL);
    if (row == NULL)
        fail_msg("bad row in the test: %s", text);
    return row;
}

static struct service *service_of(const char *text)
{
    json_t *row = parse(text);
    struct service *service = service_create(row);
    json_decref(row);
    return service;
}

static struct route *route_of(const char *text)
{
    json_t *row = parse(text);
    struct route *route = route_create(row);
    json_decref(row);
    return route;
}

static struct credential *credential_of(const char *text)
{
    json_t *row = parse(text);
    struct credential *credential = credential_create(row, "key");
    json_decref(row);
    return credential;
}

static void assert_slice(struct slice actual, const char *expected)
{
    if (!slice_eq(actual, slice_of(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", SLICE_ARG(actual), expected);
}

static void a_service_has_the_fields_of_its_row(void **state)
{
    (void)state;
    struct service *service =
        service_of("{" ID ",\"name\":\"one\",\"created_at\":1700000000,\"protocol\":\"https\","
                   "\"host\":\"a.test\",\"port\":8443,\"path\":\"/x\",\"retries\":0,"
                   "\"connect_timeout\":1,\"write_timeout\":2,\"read_timeout\":3,"
                   "\"tls_verify\":true,\"tls_verify_depth\":7,\"enabled\":false}");
    assert_non_null(service);
    assert_slice(service->entity.id, "00000000-0000-4000-8000-000000000001");
    assert_slice(service->entity.name, "one");
    assert_int_equal(service->entity.created_at, 1700000000);
    assert_int_equal(service->protocol, PROTOCOL_HTTPS);
    assert_slice(service->host, "a.test");
    assert_int_equal(service->port, 8443);
    assert_slice(service->path, "/x");
    assert_int_equal(service->retries, 0);
    assert_int_equal(service->connect_timeout_ms, 1);
    assert_int_equal(service->write_timeout_ms, 2);
    assert_int_equal(service->read_timeout_ms, 3);
    assert_true(service->is_tls_verified);
    assert_int_equal(service->tls_verify_depth, 7);
    assert_false(service->is_enabled);
    entity_unref(&service->entity);
}

static void null_fields_of_a_service_take_their_defaults(void **state)
{
    (void)state;
    struct service *service =
        service_of("{" ID ",\"name\":null,\"protocol\":\"http\",\"host\":\"a.test\",\"port\":80,"
                   "\"path\":null,\"retries\":null,\"tls_verify\":null,\"read_timeout\":null}");
    assert_non_null(service);
    assert_null(service->entity.name.ptr);
    assert_null(service->path.ptr);
    assert_int_equal(service->retries, 5);
    assert_int_equal(service->read_timeout_ms, 60000);
    assert_false(service->is_tls_verified);
    assert_true(service->is_enabled);
    entity_unref(&service->entity);
}

static void the_text_of_a_row_has_no_null_members_at_any_depth(void **state)
{
    (void)state;
    struct service *service = service_of(
        "{" ID ",\"name\":null,\"protocol\":\"http\",\"host\":\"a.test\",\"retries\":5,"
        "\"extra\":{\"a\":null,\"b\":[1,null,{\"c\":null,\"d\":2.5}],\"e\":{}},\"tags\":[]}");
    assert_non_null(service);
    assert_slice(service->entity.json,
                 "{" ID ",\"protocol\":\"http\",\"host\":\"a.test\",\"retries\":5,"
                 "\"extra\":{\"b\":[1,null,{\"d\":2.5}],\"e\":{}},\"tags\":[]}");
    entity_unref(&service->entity);
}

static void a_row_larger_than_an_arena_block_fits(void **state)
{
    (void)state;
    json_t *row = parse("{" ID ",\"protocol\":\"http\",\"host\":\"a.test\",\"tags\":[]}");
    for (int i = 0; i < 2000; i++)
        json_array_append_new(json_object_get(row, "tags"), json_string("a tag"));
    struct service *service = service_create(row);
    json_decref(row);
    assert_non_null(service);
    assert_in_range(service->entity.json.len, 16000, 17000);
    entity_unref(&service->entity);
}

static void a_route_has_the_fields_of_its_row(void **state)
{
    (void)state;
    struct route *route = route_of(
        "{" ID ",\"name\":\"r\",\"protocols\":[\"http\",\"grpcs\"],\"methods\":[\"GET\",\"POST\"],"
        "\"hosts\":[\"*.a.test\"],\"paths\":[\"/a\",\"~/b\\\\d\"],\"snis\":null,"
        "\"https_redirect_status_code\":301,\"regex_priority\":-7,\"strip_path\":false,"
        "\"preserve_host\":true,\"path_handling\":\"v1\",\"request_buffering\":false,"
        "\"response_buffering\":false,\"service\":{\"id\":\"s\"}}");
    assert_non_null(route);
    assert_int_equal(route->protocols, 1 << PROTOCOL_HTTP | 1 << PROTOCOL_GRPCS);
    assert_int_equal(route->method_count, 2);
    assert_slice(route->methods[1], "POST");
    assert_int_equal(route->host_count, 1);
    assert_slice(route->hosts[0], "*.a.test");
    assert_int_equal(route->path_count, 2);
    assert_slice(route->paths[1], "~/b\\d");
    assert_int_equal(route->sni_count, 0);
    assert_int_equal(route->header_count, 0);
    assert_int_equal(route->https_redirect_status, 301);
    assert_int_equal(route->regex_priority, -7);
    assert_false(route->is_path_stripped);
    assert_true(route->is_host_preserved);
    assert_true(route->is_path_v1);
    assert_false(route->is_request_buffered);
    assert_false(route->is_response_buffered);
    assert_slice(route->service_id, "s");
    entity_unref(&route->entity);
}

static void route_headers_are_lower_case_but_regular_expressions_keep_theirs(void **state)
{
    (void)state;
    struct route *route =
        route_of("{" ID ",\"protocols\":[\"http\"],\"service\":null,"
                 "\"headers\":{\"X-Plain\":[\"One\",\"~*Two\"],\"X-Regex\":[\"~*^\\\\D+$\"]}}");
    assert_non_null(route);
    assert_null(route->service_id.ptr);
    assert_int_equal(route->header_count, 2);
    assert_slice(route->headers[0].name, "x-plain");
    assert_false(route->headers[0].is_regex);
    assert_slice(route->headers[0].values[0], "one");
    assert_slice(route->headers[0].values[1], "~*two");
    assert_slice(route->headers[1].name, "x-regex");
    assert_true(route->headers[1].is_regex);
    assert_int_equal(route->headers[1].value_count, 1);
    assert_slice(route->headers[1].values[0], "^\\D+$");
    entity_unref(&route->entity);
}

static void a_consumer_is_named_by_its_username(void **state)
{
    (void)state;
    json_t *row = parse("{" ID ",\"username\":\"alice\",\"custom_id\":\"7\"}");
    struct consumer *consumer = consumer_create(row);
    json_decref(row);
    assert_non_null(consumer);
    assert_slice(consumer->entity.name, "alice");
    assert_slice(consumer->custom_id, "7");
    entity_unref(&consumer->entity);
}

static void a_credential_is_named_by_its_key_and_expires_after_its_ttl(void **state)
{
    (void)state;
    struct credential *credential =
        credential_of("{" ID ",\"key\":\"secret\",\"consumer\":{\"id\":\"c\"},\"ttl\":null}");
    assert_non_null(credential);
    assert_slice(credential->entity.name, "secret");
    assert_slice(credential->consumer_id, "c");
    assert_null(credential->consumer);
    assert_int_equal(credential->expires_at, 0);
    entity_unref(&credential->entity);
    int64_t now_s = clock_wall_ms() / 1000;
    credential =
        credential_of("{" ID ",\"key\":\"secret\",\"consumer\":{\"id\":\"c\"},\"ttl\":100}");
    assert_non_null(credential);
    assert_in_range(credential->expires_at, now_s + 100, now_s + 110);
    entity_unref(&credential->entity);
}

static void a_row_that_breaks_the_schema_is_refused(void **state)
{
    (void)state;
    static const char *const services[] = {
        "[]",
        "{}",
        "{\"id\":7,\"protocol\":\"http\",\"host\":\"a\"}",
        "{" ID ",\"protocol\":\"gopher\",\"host\":\"a\"}",
        "{" ID ",\"protocol\":null,\"host\":\"a\"}",
        "{" ID ",\"protocol\":\"http\",\"host\":null}",
        "{" ID ",\"protocol\":\"http\",\"host\":[]}",
        "{" ID ",\"protocol\":\"http\",\"host\":\"a\",\"port\":\"80\"}",
        "{" ID ",\"protocol\":\"http\",\"host\":\"a\",\"port\":4294967376}",
        "{" ID ",\"protocol\":\"http\",\"host\":\"a\",\"retries\":1e300}",
        "{" ID ",\"protocol\":\"http\",\"host\":\"a\",\"enabled\":1}",
        "{" ID ",\"protocol\":\"http\",\"host\":\"a\",\"path\":{}}",
    };
    static const char *const routes[] = {
        "{" ID "}",
        "{" ID ",\"protocols\":[]}",
        "{" ID ",\"protocols\":[\"http\",7]}",
        "{" ID ",\"protocols\":[\"http\"],\"paths\":\"/a\"}",
        "{" ID ",\"protocols\":[\"http\"],\"paths\":[null]}",
        "{" ID ",\"protocols\":[\"http\"],\"headers\":[]}",
        "{" ID ",\"protocols\":[\"http\"],\"headers\":{\"a\":\"b\"}}",
        "{" ID ",\"protocols\":[\"http\"],\"headers\":{\"a\":[1],\"b\":[\"~*x\"]}}",
        "{" ID ",\"protocols\":[\"http\"],\"service\":\"s\"}",
    };
    static const char *const credentials[] = {
        "{" ID ",\"key\":null,\"consumer\":{\"id\":\"c\"}}",
        "{" ID ",\"key\":\"k\",\"consumer\":null}",
        "{" ID ",\"key\":\"k\",\"consumer\":{}}",
    };
    for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
        if (service_of(services[i]) != NULL)
            fail_msg("accepted %s", services[i]);
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
        if (route_of(routes[i]) != NULL)
            fail_msg("accepted %s", routes[i]);
    for (size_t i = 0; i < sizeof(credentials) / sizeof(*credentials); i++)
        if (credential_of(credentials[i]) != NULL)
            fail_msg("accepted %s", credentials[i]);
    assert_null(service_create(NULL));
}

static void every_protocol_has_a_name_that_parses_back(void **state)
{
    (void)state;
    enum protocol parsed;
    for (int i = PROTOCOL_HTTP; i <= PROTOCOL_UDP; i++) {
        assert_true(protocol_parse(slice_of(protocol_name((enum protocol)i)), &parsed));
        assert_int_equal(parsed, i);
    }
    assert_false(protocol_parse(SLICE("HTTP"), &parsed));
    assert_false(protocol_parse(SLICE(""), &parsed));
}

static void *share(void *entity)
{
    for (int i = 0; i < 10000; i++)
        entity_unref(entity_ref(entity));
    entity_unref(entity);
    return NULL;
}

static void an_entity_lives_until_its_last_holder_lets_go(void **state)
{
    (void)state;
    struct service *service = service_of("{" ID ",\"protocol\":\"http\",\"host\":\"a.test\"}");
    assert_non_null(service);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, share, entity_ref(&service->entity)), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&service->entity.refs), 1);
    assert_slice(service->host, "a.test");
    entity_unref(&service->entity);
    entity_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_has_the_fields_of_its_row),
        cmocka_unit_test(null_fields_of_a_service_take_their_defaults),
        cmocka_unit_test(the_text_of_a_row_has_no_null_members_at_any_depth),
        cmocka_unit_test(a_row_larger_than_an_arena_block_fits),
        cmocka_unit_test(a_route_has_the_fields_of_its_row),
        cmocka_unit_test(route_headers_are_lower_case_but_regular_expressions_keep_theirs),
        cmocka_unit_test(a_consumer_is_named_by_its_username),
        cmocka_unit_test(a_credential_is_named_by_its_key_and_expires_after_its_ttl),
        cmocka_unit_test(a_row_that_breaks_the_schema_is_refused),
        cmocka_unit_test(every_protocol_has_a_name_that_parses_back),
        cmocka_unit_test(an_entity_lives_until_its_last_holder_lets_go),
    };
    return cmocka_run_group_tests_name("entity", tests, NULL, NULL);
}
