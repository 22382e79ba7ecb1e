/* SPDX-License-Identifier: Apache-2.0 */
/* round_robin_test.c -- turns by weight, retries, changes of the set. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "balance/round_robin.h"

static uint32_t weight_of(const void *peers, size_t index)
{
    return ((const uint32_t *)peers)[index];
}

/* The next `turns` picks as letters. */
static const char *picks(struct round_robin *state, const struct balancer_set *set, int turns,
                         char *out)
{
    for (int i = 0; i < turns; i++) {
        size_t index = round_robin_next(state, set, NULL);
        out[i] = index == BALANCER_NONE ? '-' : (char)('a' + index);
    }
    out[turns] = '\0';
    return out;
}

static void equal_peers_take_turns(void **state)
{
    (void)state;
    char out[16];
    struct round_robin turns;
    const struct balancer_set set = {.count = 3, .version = 7};
    round_robin_init(&turns, 0);
    assert_string_equal(picks(&turns, &set, 7, out), "abcabca");
    round_robin_clear(&turns);
    round_robin_init(&turns, 2);
    assert_string_equal(picks(&turns, &set, 4, out), "cabc");
    round_robin_clear(&turns);
}

static void weights_are_shares_and_are_spread_evenly(void **state)
{
    (void)state;
    const struct {
        uint32_t weights[4];
        size_t count;
        const char *expected;
    } cases[] = {
        {{5, 1, 1}, 3, "aabacaaaabacaa"},    {{1, 2}, 2, "babbabbabbabba"},
        {{0, 1, 0, 1}, 4, "bdbdbdbdbdbdbd"}, {{4, 4}, 2, "ababababababab"},
        {{0, 3}, 2, "bbbbbbbbbbbbbb"},       {{0, 0}, 2, "--------------"},
        {{0}, 1, "--------------"},          {{0}, 0, "--------------"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[16];
        struct round_robin turns;
        round_robin_init(&turns, 0);
        const struct balancer_set set = {cases[i].weights, cases[i].count, weight_of, 1};
        assert_string_equal(picks(&turns, &set, 14, out), cases[i].expected);
        round_robin_clear(&turns);
    }
}

static void a_retry_takes_a_peer_that_was_not_tried_while_there_is_one(void **state)
{
    (void)state;
    const uint32_t weights[2][3] = {{1, 1, 1}, {100, 2, 1}};
    for (int i = 0; i < 2; i++) {
        struct round_robin turns;
        const struct balancer_set set = {weights[i], 3, weight_of, 1};
        round_robin_init(&turns, 0);
        for (int request = 0; request < 50; request++) {
            struct balancer_tried tried = {0};
            for (int try = 0; try < 3; try++) {
                size_t index = round_robin_next(&turns, &set, &tried);
                assert_true(index < 3);
                assert_false(balancer_tried_has(&tried, index));
                balancer_tried_add(&tried, index);
            }
            assert_true(round_robin_next(&turns, &set, &tried) < 3); /* all were tried */
        }
        round_robin_clear(&turns);
    }
}

static void every_turn_goes_on_when_the_set_changes(void **state)
{
    (void)state;
    char out[16];
    struct round_robin turns;
    round_robin_init(&turns, 0);
    struct balancer_set set = {.count = 3, .version = 1};
    assert_string_equal(picks(&turns, &set, 4, out), "abca");
    set.count = 4;
    set.version = 2;
    assert_string_equal(picks(&turns, &set, 4, out), "abcd");
    set.count = 2;
    set.version = 3;
    assert_string_equal(picks(&turns, &set, 3, out), "aba");
    const uint32_t weights[] = {1, 3};
    set = (struct balancer_set){weights, 2, weight_of, 4};
    (void)picks(&turns, &set, 12, out);
    int a = 0;
    for (int i = 0; i < 12; i++)
        a += out[i] == 'a';
    assert_int_equal(a, 3);
    set.count = 0;
    set.version = 5;
    assert_string_equal(picks(&turns, &set, 1, out), "-");
    round_robin_clear(&turns);
}

static void peers_behind_the_limit_get_no_turn(void **state)
{
    (void)state;
    struct round_robin turns;
    round_robin_init(&turns, 0);
    const struct balancer_set set = {.count = 100000, .version = 1};
    for (size_t i = 0; i < 2 * BALANCER_MAX_PEERS; i++)
        assert_int_equal(round_robin_next(&turns, &set, NULL), i % BALANCER_MAX_PEERS);
    round_robin_clear(&turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_peers_take_turns),
        cmocka_unit_test(weights_are_shares_and_are_spread_evenly),
        cmocka_unit_test(a_retry_takes_a_peer_that_was_not_tried_while_there_is_one),
        cmocka_unit_test(every_turn_goes_on_when_the_set_changes),
        cmocka_unit_test(peers_behind_the_limit_get_no_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
