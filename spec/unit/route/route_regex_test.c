/* SPDX-License-Identifier: Apache-2.0 */
/* route_regex_test.c -- expressions: what they match, and what they may cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "route/route_regex.h"

struct opened {
    struct arena arena;
    struct route_regex_set *set;
};

static void open_set(struct opened *opened)
{
    arena_init(&opened->arena, NULL);
    opened->set = route_regex_set_create(&opened->arena);
    assert_non_null(opened->set);
}

static const struct route_regex *add(struct opened *opened, const char *pattern,
                                     enum route_regex_use use)
{
    char error[160];
    const struct route_regex *regex;
    assert_true(route_regex_add(opened->set, slice_of(pattern), use, &regex, error, sizeof(error)));
    return regex;
}

static int64_t cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_wrong_pattern_says_what_is_wrong(void **state)
{
    (void)state;
    struct opened opened;
    open_set(&opened);
    char error[160] = "";
    const struct route_regex *regex;
    for (int i = 0; i < 2; i++) {
        assert_true(route_regex_add(opened.set, SLICE("/("), ROUTE_REGEX_PATH, &regex, error,
                                    sizeof(error)));
        assert_null(regex);
        assert_string_equal(error, "missing closing parenthesis");
        error[0] = '\0';
    }
    arena_clear(&opened.arena);
}

static void a_pattern_is_compiled_once_for_each_use(void **state)
{
    (void)state;
    struct opened opened;
    open_set(&opened);
    const struct route_regex *path = add(&opened, "b", ROUTE_REGEX_PATH);
    const struct route_regex *header = add(&opened, "b", ROUTE_REGEX_HEADER);
    assert_ptr_equal(path, add(&opened, "b", ROUTE_REGEX_PATH));
    assert_ptr_not_equal(path, header);
    assert_false(route_regex_match(path, SLICE("ab"), NULL));
    assert_true(route_regex_match(header, SLICE("ab"), NULL));
    arena_clear(&opened.arena);
}

static void groups_tell_where_they_matched(void **state)
{
    (void)state;
    struct opened opened;
    open_set(&opened);
    const struct route_regex *regex = add(&opened, "/(?<a>x)?(y)(?P<c>z*)", ROUTE_REGEX_PATH);
    struct route_regex_groups groups;
    assert_true(route_regex_match(regex, SLICE("/yzz!"), &groups));
    assert_int_equal(groups.count, 4);
    assert_int_equal(groups.begin[0], 0);
    assert_int_equal(groups.end[0], 4);
    assert_true(groups.end[1] < groups.begin[1]); /* took no part */
    assert_int_equal(groups.begin[3], 2);
    assert_int_equal(groups.end[3], 4);
    assert_null(route_regex_group_name(regex, 0).ptr);
    assert_true(slice_eq(route_regex_group_name(regex, 1), SLICE("a")));
    assert_null(route_regex_group_name(regex, 2).ptr);
    assert_true(slice_eq(route_regex_group_name(regex, 3), SLICE("c")));
    assert_true(route_regex_match(regex, SLICE("/y"), &groups)); /* empty is not absent */
    assert_int_equal(groups.begin[3], groups.end[3]);
    arena_clear(&opened.arena);
}

static void groups_beyond_the_limit_are_left_out(void **state)
{
    (void)state;
    struct opened opened;
    open_set(&opened);
    const struct route_regex *regex =
        add(&opened, "(1)(2)(3)(4)(5)(6)(7)(8)(9)(a)(b)(c)(d)(e)(f)(?<g>g)(h)", ROUTE_REGEX_PATH);
    struct route_regex_groups groups;
    assert_true(route_regex_match(regex, SLICE("123456789abcdefgh"), &groups));
    assert_int_equal(groups.count, ROUTE_REGEX_MAX_GROUPS);
    assert_int_equal(groups.begin[15], 14);
    arena_clear(&opened.arena);
}

/* Fills `text` with "/aaa...!". */
static struct slice long_path(char *text, size_t len)
{
    memset(text, 'a', len);
    text[0] = '/';
    text[len - 1] = '!';
    return slice_make(text, len);
}

static void a_pathological_pattern_costs_little_and_does_not_match(void **state)
{
    (void)state;
    static const char *const patterns[] = {"/(a+)+$",         "/(a|aa)+$",      "/(.*)*x",
                                           "/(a?){30}a{30}$", "/(\\w+\\s?)*$",  "/.*.*.*.*=x$",
                                           "/(?:a|b|ab)*c",   "/(?R)?a*a*a*a*b"};
    static char text[8192];
    /* Without the JIT as well: the code of a set's later patterns is interpreted. */
    for (int is_interpreted = 0; is_interpreted < 2; is_interpreted++) {
        struct opened opened;
        open_set(&opened);
        for (int i = 0; is_interpreted && i < 300; i++)
            add(&opened, arena_printf(&opened.arena, "/%d", i).ptr, ROUTE_REGEX_PATH);
        for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
            const struct route_regex *regex = add(&opened, patterns[i], ROUTE_REGEX_PATH);
            assert_non_null(regex);
            for (size_t len = 32; len <= sizeof(text); len *= 16) {
                int64_t start = cpu_ms();
                assert_false(route_regex_match(regex, long_path(text, len), NULL));
                /* Far above what it takes, far below the years without limits. */
                if (cpu_ms() - start > 1000)
                    fail_msg("%s took %d ms on %zu bytes", patterns[i], (int)(cpu_ms() - start),
                             len);
            }
        }
        arena_clear(&opened.arena);
    }
}

/* Each byte takes a frame of the JIT's stack, more than it has at first. */
static void a_long_path_may_match_an_innocent_pattern(void **state)
{
    (void)state;
    static char text[8192];
    struct opened opened;
    open_set(&opened);
    const struct route_regex *regex = add(&opened, "/(?:[a-z]|-)+(!)$", ROUTE_REGEX_PATH);
    struct route_regex_groups groups;
    assert_true(route_regex_match(regex, long_path(text, sizeof(text)), &groups));
    assert_int_equal(groups.end[1], sizeof(text));
    arena_clear(&opened.arena);
}

struct job {
    const struct route_regex *regex;
    int failures;
};

static void *match_often(void *arg)
{
    struct job *job = arg;
    for (int i = 0; i < 2000; i++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "/item/%d", i);
        struct route_regex_groups groups;
        if (!route_regex_match(job->regex, slice_make(text, (size_t)len), &groups) ||
            groups.begin[1] != 6 || groups.end[1] != (size_t)len)
            job->failures++;
    }
    return NULL;
}

static void threads_share_an_expression(void **state)
{
    (void)state;
    struct opened opened;
    open_set(&opened);
    pthread_t threads[4];
    struct job jobs[4];
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = (struct job){.regex = add(&opened, "/item/(\\d+)$", ROUTE_REGEX_PATH)};
        assert_int_equal(pthread_create(&threads[i], NULL, match_often, &jobs[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].failures, 0);
    }
    arena_clear(&opened.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_pattern_says_what_is_wrong),
        cmocka_unit_test(a_pattern_is_compiled_once_for_each_use),
        cmocka_unit_test(groups_tell_where_they_matched),
        cmocka_unit_test(groups_beyond_the_limit_are_left_out),
        cmocka_unit_test(a_pathological_pattern_costs_little_and_does_not_match),
        cmocka_unit_test(a_long_path_may_match_an_innocent_pattern),
        cmocka_unit_test(threads_share_an_expression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
