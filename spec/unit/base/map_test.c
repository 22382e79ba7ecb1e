/* SPDX-License-Identifier: Apache-2.0 */
/* map_test.c -- the hash table against a plain array, through growth and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/map.h"

enum { KEYS = 2000 };

static char names[KEYS][16];

static void make_names(void)
{
    for (int i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof(names[i]), "key-%d", i * 7919);
}

static void it_agrees_with_an_array_through_random_changes(void **state)
{
    (void)state;
    struct map map = {0};
    bool is_there[KEYS] = {false};
    size_t count = 0;
    uint64_t random = 12345;
    make_names();
    for (int round = 0; round < 40000; round++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        size_t i = (size_t)(random >> 33) % KEYS;
        struct slice key = slice_of(names[i]);
        if (random >> 63) {
            assert_true(map_set(&map, key, names[i]));
            count += !is_there[i];
            is_there[i] = true;
        } else {
            assert_ptr_equal(map_remove(&map, key), is_there[i] ? names[i] : NULL);
            count -= is_there[i];
            is_there[i] = false;
        }
        assert_int_equal(map.count, count);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&map, slice_of(names[i])), is_there[i] ? names[i] : NULL);
    map_clear(&map);
}

static void walking_visits_each_entry_once(void **state)
{
    (void)state;
    struct map map = {0};
    struct map_slot *slot;
    size_t seen = 0;
    make_names();
    for (size_t i = 0; i < 100; i++)
        assert_true(map_set(&map, slice_of(names[i]), names[i]));
    for (size_t at = 0; (slot = map_next(&map, &at)) != NULL;)
        seen++;
    assert_int_equal(seen, 100);
    map_clear(&map);
}

static void a_copy_is_independent(void **state)
{
    (void)state;
    struct map map = {0}, copy;
    assert_true(map_set(&map, SLICE("a"), names[0]));
    assert_true(map_copy(&copy, &map));
    assert_true(map_set(&copy, SLICE("b"), names[1]));
    assert_null(map_get(&map, SLICE("b")));
    assert_ptr_equal(map_get(&copy, SLICE("a")), names[0]);
    map_clear(&map);
    map_clear(&copy);
}

static void nothing_is_found_in_an_empty_map(void **state)
{
    (void)state;
    struct map map = {0};
    assert_null(map_get(&map, SLICE("a")));
    assert_null(map_remove(&map, SLICE("a")));
    map_clear(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_an_array_through_random_changes),
        cmocka_unit_test(walking_visits_each_entry_once),
        cmocka_unit_test(a_copy_is_independent),
        cmocka_unit_test(nothing_is_found_in_an_empty_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
