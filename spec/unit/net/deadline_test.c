/* SPDX-License-Identifier: Apache-2.0 */
/* deadline_test.c -- the wheel: order, never early, moving, clearing, sleeping. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net_fixture.h"

enum { MANY = 3000 };

struct alarm_clock {
    struct deadline deadline;
    struct loop *loop;
    int64_t due_ms;
    int64_t fired_ms; /* 0: not yet */
    int fired;
    int *left; /* stops the loop when it gets to 0 */
    struct alarm_clock *clears, *frees;
    int64_t again_ms; /* set it again by that much, once */
};

static void on_alarm(struct deadline *deadline)
{
    struct alarm_clock *clock = LIST_ENTRY(deadline, struct alarm_clock, deadline);
    clock->fired_ms = clock_now_ms();
    clock->fired++;
    assert_true(clock->fired_ms >= clock->due_ms);
    assert_true(deadline->at_ms == 0);
    if (clock->clears != NULL)
        deadline_clear(&clock->clears->deadline);
    if (clock->again_ms != 0) {
        clock->due_ms = loop_now_ms(clock->loop) + clock->again_ms;
        deadline_set(clock->loop, deadline, clock->due_ms);
        clock->again_ms = 0;
        return;
    }
    if (clock->left != NULL && --*clock->left == 0)
        loop_stop(clock->loop);
    if (clock->frees != NULL)
        free(clock->frees);
}

static void set(struct alarm_clock *clock, struct loop *loop, int64_t in_ms, int *left)
{
    *clock = (struct alarm_clock){.loop = loop, .left = left};
    clock->due_ms = loop_now_ms(loop) + in_ms;
    deadline_init(&clock->deadline, on_alarm);
    deadline_set(loop, &clock->deadline, clock->due_ms);
}

/* Only the event that wakes the loop from other threads. */
static void assert_loop_sleeps(struct loop *loop)
{
    assert_int_equal(event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED), 1);
}

static void many_deadlines_each_fire_once_and_never_early(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    struct alarm_clock *clocks = calloc(MANY, sizeof(*clocks));
    int left = MANY;
    uint32_t random = 1;
    for (int i = 0; i < MANY; i++) {
        random = random * 1664525u + 1013904223u;
        set(&clocks[i], loop, random >> 16 & 255, &left);
    }
    assert_true(net_fixture_run(loop, 10000));
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(clocks[i].fired, 1);
        for (int k = i - 20 < 0 ? 0 : i - 20; k < i; k++) {
            if (clocks[k].due_ms / LOOP_SLOT_MS < clocks[i].due_ms / LOOP_SLOT_MS)
                assert_true(clocks[k].fired_ms <= clocks[i].fired_ms);
        }
    }
    free(clocks);
    loop_destroy(loop);
}

static void without_deadlines_no_timer_is_left(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 1;
    struct alarm_clock clock;
    assert_loop_sleeps(loop);
    set(&clock, loop, 1, &left);
    loop_run(loop);
    assert_loop_sleeps(loop);
    loop_destroy(loop);
}

static void a_deadline_moved_later_fires_at_the_later_time(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 1;
    struct alarm_clock clock;
    set(&clock, loop, 20, &left);
    clock.due_ms += 100;
    deadline_set(loop, &clock.deadline, clock.due_ms);
    assert_true(net_fixture_run(loop, 5000));
    assert_int_equal(clock.fired, 1);
    loop_destroy(loop);
}

static void a_deadline_moved_earlier_fires_at_the_earlier_time(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 1;
    struct alarm_clock clock;
    set(&clock, loop, 3600 * 1000, &left);
    clock.due_ms = loop_now_ms(loop) + 30;
    deadline_set(loop, &clock.deadline, clock.due_ms);
    assert_true(net_fixture_run(loop, 2000));
    assert_int_equal(clock.fired, 1);
    loop_destroy(loop);
}

static void a_deadline_beyond_the_wheel_waits_for_its_time(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 1;
    struct alarm_clock clock;
    set(&clock, loop, LOOP_SLOTS * LOOP_SLOT_MS + 100, &left);
    assert_true(net_fixture_run(loop, 10000));
    assert_int_equal(clock.fired, 1);
    loop_destroy(loop);
}

static void a_cleared_deadline_does_not_fire(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 1;
    struct alarm_clock cleared;
    struct alarm_clock other;
    set(&cleared, loop, 5, NULL);
    set(&other, loop, 60, &left);
    deadline_clear(&cleared.deadline);
    deadline_clear(&cleared.deadline);
    assert_true(net_fixture_run(loop, 5000));
    assert_int_equal(cleared.fired, 0);
    loop_destroy(loop);
}

static void a_callback_may_clear_a_deadline_of_the_same_slot(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 1;
    struct alarm_clock first;
    struct alarm_clock second;
    struct alarm_clock last;
    set(&first, loop, 10, NULL);
    set(&second, loop, 10, NULL);
    set(&last, loop, 60, &left);
    first.clears = &second;
    assert_true(net_fixture_run(loop, 5000));
    assert_int_equal(first.fired, 1);
    assert_int_equal(second.fired, 0);
    loop_destroy(loop);
}

static void a_callback_may_set_its_deadline_again_or_free_it(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 2;
    struct alarm_clock repeated;
    struct alarm_clock *freed = malloc(sizeof(*freed));
    assert_non_null(freed);
    set(&repeated, loop, 5, &left);
    set(freed, loop, 10, &left);
    repeated.again_ms = 40;
    freed->frees = freed;
    assert_true(net_fixture_run(loop, 5000));
    assert_int_equal(repeated.fired, 2);
    loop_destroy(loop);
}

static void a_time_in_the_past_fires_soon_even_if_it_is_zero(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = 2;
    struct alarm_clock past;
    struct alarm_clock zero;
    set(&past, loop, -100000, &left);
    set(&zero, loop, 0, &left);
    zero.due_ms = 0;
    deadline_set(loop, &zero.deadline, 0);
    assert_true(net_fixture_run(loop, 2000));
    loop_destroy(loop);
}

int main(void)
{
    net_fixture_guard(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_deadlines_each_fire_once_and_never_early),
        cmocka_unit_test(without_deadlines_no_timer_is_left),
        cmocka_unit_test(a_deadline_moved_later_fires_at_the_later_time),
        cmocka_unit_test(a_deadline_moved_earlier_fires_at_the_earlier_time),
        cmocka_unit_test(a_deadline_beyond_the_wheel_waits_for_its_time),
        cmocka_unit_test(a_cleared_deadline_does_not_fire),
        cmocka_unit_test(a_callback_may_clear_a_deadline_of_the_same_slot),
        cmocka_unit_test(a_callback_may_set_its_deadline_again_or_free_it),
        cmocka_unit_test(a_time_in_the_past_fires_soon_even_if_it_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
