/* SPDX-License-Identifier: Apache-2.0 */
/* loop_test.c -- turns, time, posts of other threads, deferred tasks. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net_fixture.h"

enum { THREADS = 4, POSTS = 2000 };

static void stop(void *arg)
{
    loop_stop(arg);
}

struct poster {
    struct loop *loop;
    int next;  /* what the loop's thread expects */
    int *left; /* of all posters */
};

struct numbered {
    struct poster *poster;
    int number;
};

static void on_numbered(void *arg)
{
    struct numbered *numbered = arg;
    assert_int_equal(numbered->number, numbered->poster->next++);
    if (--*numbered->poster->left == 0)
        loop_stop(numbered->poster->loop);
    free(numbered);
}

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    for (int i = 0; i < POSTS; i++) {
        struct numbered *numbered = malloc(sizeof(*numbered));
        if (numbered == NULL)
            abort();
        *numbered = (struct numbered){poster, i};
        if (!loop_post(poster->loop, on_numbered, numbered))
            abort();
    }
    return NULL;
}

static void posts_of_several_threads_all_run_in_the_order_of_each_thread(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    int left = THREADS * POSTS;
    struct poster posters[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){.loop = loop, .left = &left};
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
    }
    assert_true(net_fixture_run(loop, 10000));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(left, 0);
    loop_destroy(loop);
}

static void *stop_it(void *arg)
{
    loop_stop(arg);
    return NULL;
}

static void another_thread_stops_a_sleeping_loop(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_it, loop), 0);
    loop_run(loop);
    pthread_join(thread, NULL);
    loop_destroy(loop);
}

static void a_stop_before_the_run_ends_it_at_once_and_only_that_one(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    loop_stop(loop);
    loop_run(loop);
    int64_t before_ms = clock_now_ms();
    net_fixture_run_for(loop, 30);
    assert_true(clock_now_ms() - before_ms >= 30);
    loop_destroy(loop);
}

static void a_loop_may_be_destroyed_with_posts_and_tasks_pending(void **state)
{
    (void)state;
    struct loop *loop = loop_create();
    struct loop_task task;
    loop_task_init(&task, stop, loop);
    loop_defer(loop, &task);
    assert_true(loop_post(loop, stop, loop));
    loop_destroy(loop);
    assert_true(list_is_empty(&task.node));
}

struct trace {
    struct loop *loop;
    char text[64];
    struct loop_task task;
    struct loop_task other;
    int runs;
};

static void add(struct trace *trace, const char *word)
{
    (void)snprintf(trace->text + strlen(trace->text), sizeof(trace->text) - strlen(trace->text),
                   "%s ", word);
}

static void on_deferred(void *arg)
{
    struct trace *trace = arg;
    add(trace, "task");
    loop_stop(trace->loop);
}

static void on_first_post(void *arg)
{
    struct trace *trace = arg;
    loop_defer(trace->loop, &trace->task);
    loop_defer(trace->loop, &trace->task);
    add(trace, "first");
}

static void on_second_post(void *arg)
{
    add(arg, "second");
}

static void a_deferred_task_runs_once_after_the_events_of_its_turn(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_create()};
    loop_task_init(&trace.task, on_deferred, &trace);
    assert_true(loop_post(trace.loop, on_first_post, &trace));
    assert_true(loop_post(trace.loop, on_second_post, &trace));
    assert_true(net_fixture_run(trace.loop, 5000));
    assert_string_equal(trace.text, "first second task ");
    loop_destroy(trace.loop);
}

static void on_again(void *arg)
{
    struct trace *trace = arg;
    trace->runs++;
    loop_defer(trace->loop, &trace->task);
}

static void a_task_that_defers_itself_lets_events_have_their_turn(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_create()};
    loop_task_init(&trace.task, on_again, &trace);
    loop_defer(trace.loop, &trace.task);
    net_fixture_run_for(trace.loop, 20); /* the deadline in it is an event */
    assert_true(trace.runs > 1);
    loop_task_cancel(&trace.task);
    loop_destroy(trace.loop);
}

static void on_cancel_other(void *arg)
{
    struct trace *trace = arg;
    loop_task_cancel(&trace->other);
    loop_stop(trace->loop);
}

static void a_task_may_cancel_another_one_of_the_same_turn(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_create()};
    loop_task_init(&trace.task, on_cancel_other, &trace);
    loop_task_init(&trace.other, on_again, &trace);
    loop_defer(trace.loop, &trace.task);
    loop_defer(trace.loop, &trace.other);
    assert_true(net_fixture_run(trace.loop, 5000));
    assert_int_equal(trace.runs, 0);
    loop_destroy(trace.loop);
}

struct times {
    struct loop *loop;
    struct deadline deadline;
    int64_t first_ms, again_ms, real_ms;
};

static void on_time(struct deadline *deadline)
{
    struct times *times = LIST_ENTRY(deadline, struct times, deadline);
    times->first_ms = loop_now_ms(times->loop);
    while (clock_now_ms() <= times->first_ms + 2) {
    }
    times->again_ms = loop_now_ms(times->loop);
    times->real_ms = clock_now_ms();
    loop_stop(times->loop);
}

static void the_time_is_of_after_the_wait_and_stays_for_the_turn(void **state)
{
    (void)state;
    struct times times = {.loop = loop_create()};
    deadline_init(&times.deadline, on_time);
    int64_t at_ms = loop_now_ms(times.loop) + 60;
    deadline_set(times.loop, &times.deadline, at_ms);
    assert_true(net_fixture_run(times.loop, 5000));
    assert_true(times.first_ms >= at_ms);
    assert_int_equal(times.again_ms, times.first_ms);
    assert_true(times.real_ms > times.first_ms);
    assert_true(loop_now_ms(times.loop) >= times.real_ms);
    int64_t wall_ms = clock_wall_ms();
    assert_true(loop_wall_ms(times.loop) >= wall_ms);
    loop_destroy(times.loop);
}

int main(void)
{
    net_fixture_guard(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_several_threads_all_run_in_the_order_of_each_thread),
        cmocka_unit_test(another_thread_stops_a_sleeping_loop),
        cmocka_unit_test(a_stop_before_the_run_ends_it_at_once_and_only_that_one),
        cmocka_unit_test(a_loop_may_be_destroyed_with_posts_and_tasks_pending),
        cmocka_unit_test(a_deferred_task_runs_once_after_the_events_of_its_turn),
        cmocka_unit_test(a_task_that_defers_itself_lets_events_have_their_turn),
        cmocka_unit_test(a_task_may_cancel_another_one_of_the_same_turn),
        cmocka_unit_test(the_time_is_of_after_the_wait_and_stays_for_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
