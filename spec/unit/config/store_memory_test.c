/* SPDX-License-Identifier: Apache-2.0 */
/* store_memory_test.c -- what only the memory store does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_fixture.h"

static void the_memory_store_takes_no_single_writes(void **state)
{
    struct fixture *f = *state;
    EXPECT(STORE_READ_ONLY, insert(f, "services", service_row(SERVICE_1, "one", "null")));
    EXPECT(STORE_READ_ONLY, update(f, "services", service_row(SERVICE_1, "one", "null")));
    EXPECT(STORE_READ_ONLY, upsert(f, "services", service_row(SERVICE_1, "one", "null")));
    EXPECT(STORE_READ_ONLY, delete (f, "services", SERVICE_1));
}

static void a_replacement_that_fails_changes_nothing(void **state)
{
    struct fixture *f = *state;
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    json_t *bad =
        json_pack("{s:[], s:[{s:s}, {s:s}]}", "services", "routes", "id", ROUTE_1, "id", ROUTE_1);
    EXPECT(STORE_FAILED, store_replace_all(f->store, bad, &f->error));
    json_decref(bad);
    bad = json_pack("{s:[{s:n}]}", "services", "id");
    EXPECT(STORE_FAILED, store_replace_all(f->store, bad, &f->error));
    json_decref(bad);
    expect_stored(f, "services", SERVICE_1, service_row(SERVICE_1, "one", "null"));
}

static void what_a_reader_changes_does_not_change_the_store(void **state)
{
    struct fixture *f = *state;
    json_t *row = NULL;
    put(f, "services", service_row(SERVICE_1, "one", "[\"a\"]"));
    EXPECT(STORE_OK, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    json_array_clear(json_object_get(row, "tags"));
    json_decref(row);
    expect_stored(f, "services", SERVICE_1, service_row(SERVICE_1, "one", "[\"a\"]"));
}

int main(void)
{
    struct CMUnitTest memory_tests[] = {
        TEST(the_memory_store_takes_no_single_writes),
        TEST(a_replacement_that_fails_changes_nothing),
        TEST(what_a_reader_changes_does_not_change_the_store),
    };
    struct kind memory = {.database = "off"};
    int failed = RUN_TESTS(memory_tests, &memory);
    schema_shutdown();
    return failed;
}
