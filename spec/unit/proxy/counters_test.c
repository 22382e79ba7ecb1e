/* SPDX-License-Identifier: Apache-2.0 */
/* counters_test.c -- exact under threads, windows that end, several windows as one step. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proxy/counters.h"

enum { THREADS = 4, TAKES = 20000, LIMIT = 1000 };

struct race {
    struct counters *counters;
    atomic_int admitted;
};

static void *take_many(void *arg)
{
    struct race *race = arg;
    for (int i = 0; i < TAKES; i++) {
        struct pdk_window windows[2] = {{600, 60, LIMIT, 0}, {0, 3600, 10 * LIMIT, 0}};
        if (counters_take(race->counters, PDK_STR("key"), windows, 2, 1, 601))
            atomic_fetch_add(&race->admitted, 1);
    }
    return NULL;
}

static void threads_together_take_exactly_the_limit(void **state)
{
    (void)state;
    struct race race = {.counters = counters_create()};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &race), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.admitted, LIMIT);
    counters_destroy(race.counters);
}

static void a_refusal_counts_in_no_window(void **state)
{
    (void)state;
    struct counters *counters = counters_create();
    struct pdk_window windows[2] = {{10, 1, 1, 0}, {0, 60, 100, 0}};
    assert_true(counters_take(counters, PDK_STR("k"), windows, 2, 1, 10));
    assert_int_equal(windows[1].used, 0);
    assert_false(counters_take(counters, PDK_STR("k"), windows, 2, 1, 10));
    assert_false(counters_take(counters, PDK_STR("k"), windows, 2, 1, 10));
    assert_int_equal(windows[0].used, 1);
    assert_int_equal(windows[1].used, 1);
    counters_destroy(counters);
}

static void a_new_window_starts_at_zero(void **state)
{
    (void)state;
    struct counters *counters = counters_create();
    struct pdk_window window = {60, 60, 2, 0};
    assert_true(counters_take(counters, PDK_STR("k"), &window, 1, 2, 61));
    assert_false(counters_take(counters, PDK_STR("k"), &window, 1, 1, 119));
    window.start_s = 120;
    assert_true(counters_take(counters, PDK_STR("k"), &window, 1, 1, 120));
    assert_int_equal(window.used, 0);
    counters_destroy(counters);
}

static void keys_do_not_share_counts(void **state)
{
    (void)state;
    struct counters *counters = counters_create();
    char key[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20000; i++) {
            struct pdk_window window = {0, 60, 10, 0};
            int n = snprintf(key, sizeof(key), "k%d", i);
            assert_true(
                counters_take(counters, (struct pdk_str){key, (size_t)n}, &window, 1, 1, 1));
            assert_int_equal(window.used, round);
        }
    }
    counters_destroy(counters);
}

static void ended_windows_give_their_room_back(void **state)
{
    (void)state;
    struct counters *counters = counters_create();
    char key[32];
    for (int64_t second = 0; second < 300000; second++) {
        struct pdk_window window = {second, 1, 10, 0};
        int n = snprintf(key, sizeof(key), "k%lld", (long long)second);
        assert_true(
            counters_take(counters, (struct pdk_str){key, (size_t)n}, &window, 1, 1, second));
        assert_int_equal(window.used, 0);
    }
    counters_destroy(counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_together_take_exactly_the_limit),
        cmocka_unit_test(a_refusal_counts_in_no_window),
        cmocka_unit_test(a_new_window_starts_at_zero),
        cmocka_unit_test(keys_do_not_share_counts),
        cmocka_unit_test(ended_windows_give_their_room_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
