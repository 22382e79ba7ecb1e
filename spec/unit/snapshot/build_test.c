/* SPDX-License-Identifier: Apache-2.0 */
/* build_test.c -- rows become parts of a snapshot; parts that no write touched are shared. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/schema.h"
#include "snapshot/build.h"

#define SERVICE "11111111-1111-4111-8111-111111111111"
#define ROUTE "22222222-2222-4222-8222-222222222222"
#define CONSUMER "33333333-3333-4333-8333-333333333333"
#define KEY "44444444-4444-4444-8444-444444444444"

static const struct plugin_set no_plugins = {NULL, 0};

static const char service_row[] =
    "{\"id\":\"" SERVICE
    "\",\"name\":\"s\",\"protocol\":\"http\",\"host\":\"127.0.0.1\",\"port\":8080,"
    "\"path\":null,\"retries\":5,\"connect_timeout\":1000,\"write_timeout\":1000,"
    "\"read_timeout\":1000,\"enabled\":true}";
static const char route_row[] =
    "{\"id\":\"" ROUTE "\",\"name\":\"r\",\"protocols\":[\"http\",\"https\"],\"paths\":[\"/\"],"
    "\"service\":{\"id\":\"" SERVICE "\"},\"strip_path\":true,\"preserve_host\":false,"
    "\"https_redirect_status_code\":426,\"regex_priority\":0,\"path_handling\":\"v0\","
    "\"request_buffering\":true,\"response_buffering\":true}";
static const char consumer_row[] = "{\"id\":\"" CONSUMER "\",\"username\":\"ada\"}";
static const char renamed_row[] = "{\"id\":\"" CONSUMER "\",\"username\":\"eve\"}";
static const char key_row[] =
    "{\"id\":\"" KEY "\",\"key\":\"secret\",\"consumer\":{\"id\":\"" CONSUMER "\"}}";

static void apply(struct builder *builder, const char *kind, const char *id, const char *text)
{
    json_t *row = text == NULL ? NULL : json_loads(text, 0, NULL);
    assert_true(text == NULL || row != NULL);
    assert_true(builder_apply(builder, schema_find(kind), id, row));
    json_decref(row);
}

static struct builder *start(void)
{
    assert_true(schema_init());
    struct builder *builder = builder_create(&no_plugins, NULL);
    assert_non_null(builder);
    return builder;
}

static struct snapshot *snapshot_of(struct builder *builder)
{
    struct snapshot *snapshot = builder_snapshot(builder);
    assert_non_null(snapshot);
    return snapshot;
}

static void a_route_is_bound_to_its_service(void **state)
{
    (void)state;
    struct builder *builder = start();
    apply(builder, "services", SERVICE, service_row);
    apply(builder, "routes", ROUTE, route_row);
    struct snapshot *snapshot = snapshot_of(builder);
    assert_int_equal(snapshot->routing->route_count, 1);
    const struct snapshot_service *service = snapshot->routing->routes[0].service;
    assert_non_null(service);
    assert_true(slice_eq(service->host_header, SLICE("127.0.0.1:8080")));
    const struct sockaddr_in *address = (const struct sockaddr_in *)&service->address;
    assert_int_equal(service->address_len, sizeof(*address));
    assert_int_equal(ntohs(address->sin_port), 8080);
    snapshot_unref(snapshot);
    builder_destroy(builder);
    schema_shutdown();
}

static void a_snapshot_outlives_what_was_deleted_after_it(void **state)
{
    (void)state;
    struct builder *builder = start();
    apply(builder, "services", SERVICE, service_row);
    apply(builder, "routes", ROUTE, route_row);
    struct snapshot *before = snapshot_of(builder);
    apply(builder, "routes", ROUTE, NULL);
    apply(builder, "services", SERVICE, NULL);
    struct snapshot *after = snapshot_of(builder);
    assert_int_equal(after->routing->route_count, 0);
    builder_destroy(builder);
    assert_true(slice_eq(before->routing->routes[0].route->entity.name, SLICE("r")));
    snapshot_unref(after);
    snapshot_unref(before);
    schema_shutdown();
}

static void parts_that_no_write_touched_are_shared(void **state)
{
    (void)state;
    struct builder *builder = start();
    apply(builder, "consumers", CONSUMER, consumer_row);
    struct snapshot *before = snapshot_of(builder);
    apply(builder, "services", SERVICE, service_row);
    struct snapshot *after = snapshot_of(builder);
    assert_ptr_equal(before->people, after->people);
    assert_ptr_equal(before->keys, after->keys);
    assert_ptr_not_equal(before->routing, after->routing);
    assert_true(after->generation > before->generation);
    snapshot_unref(before);
    snapshot_unref(after);
    builder_destroy(builder);
    schema_shutdown();
}

static const struct snapshot_key *key_of(const struct snapshot *snapshot)
{
    return map_get(&snapshot->keys->by_key, SLICE("secret"));
}

static void a_credential_follows_its_consumer(void **state)
{
    (void)state;
    struct builder *builder = start();
    apply(builder, "consumers", CONSUMER, consumer_row);
    apply(builder, "keyauth_credentials", KEY, key_row);
    struct snapshot *first = snapshot_of(builder);
    apply(builder, "consumers", CONSUMER, renamed_row);
    struct snapshot *second = snapshot_of(builder);
    apply(builder, "consumers", CONSUMER, NULL);
    struct snapshot *third = snapshot_of(builder);
    assert_true(slice_eq(key_of(first)->person->consumer->entity.name, SLICE("ada")));
    assert_true(slice_eq(key_of(second)->person->consumer->entity.name, SLICE("eve")));
    assert_null(key_of(third));
    snapshot_unref(first);
    snapshot_unref(second);
    snapshot_unref(third);
    builder_destroy(builder);
    schema_shutdown();
}

static void a_row_that_cannot_be_used_is_left_out(void **state)
{
    (void)state;
    struct builder *builder = start();
    apply(builder, "plugins", KEY,
          "{\"id\":\"" KEY "\",\"name\":\"nobody-has-it\",\"enabled\":true}");
    apply(builder, "keyauth_credentials", KEY, key_row); /* its consumer does not exist */
    struct snapshot *snapshot = snapshot_of(builder);
    assert_int_equal(snapshot->routing->config_count, 0);
    assert_null(key_of(snapshot));
    snapshot_unref(snapshot);
    builder_destroy(builder);
    schema_shutdown();
}

static bool configure(const struct plugin_type *type, struct plugin_config *config, char **error)
{
    (void)type;
    (void)error;
    config->conf = config;
    return true;
}

/* A row comes by twice, from the Admin API and from the change log: plugins must not notice. */
static void a_plugin_row_that_did_not_change_keeps_its_configuration(void **state)
{
    (void)state;
    static const struct plugin_vtable vtable = {.configure = configure};
    struct plugin_type type = {.vtable = &vtable, .name = (char *)(uintptr_t) "p"};
    struct plugin_type *types[] = {&type};
    const struct plugin_set set = {types, 1};
    static const char row[] = "{\"id\":\"" KEY "\",\"name\":\"p\",\"enabled\":true,"
                              "\"protocols\":[\"http\"],\"config\":{\"a\":1},\"route\":null}";
    static const char changed[] = "{\"id\":\"" KEY "\",\"name\":\"p\",\"enabled\":true,"
                                  "\"protocols\":[\"http\"],\"config\":{\"a\":2},\"route\":null}";
    assert_true(schema_init());
    struct builder *builder = builder_create(&set, NULL);
    apply(builder, "plugins", KEY, row);
    struct snapshot *first = snapshot_of(builder);
    apply(builder, "plugins", KEY, row);
    struct snapshot *second = snapshot_of(builder);
    apply(builder, "plugins", KEY, changed);
    struct snapshot *third = snapshot_of(builder);
    assert_int_equal(first->routing->config_count, 1);
    assert_ptr_equal(first->routing->configs[0], second->routing->configs[0]);
    assert_true(third->routing->configs[0]->serial > second->routing->configs[0]->serial);
    snapshot_unref(first);
    snapshot_unref(second);
    snapshot_unref(third);
    builder_destroy(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_is_bound_to_its_service),
        cmocka_unit_test(a_snapshot_outlives_what_was_deleted_after_it),
        cmocka_unit_test(parts_that_no_write_touched_are_shared),
        cmocka_unit_test(a_credential_follows_its_consumer),
        cmocka_unit_test(a_row_that_cannot_be_used_is_left_out),
        cmocka_unit_test(a_plugin_row_that_did_not_change_keeps_its_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
