/* SPDX-License-Identifier: Apache-2.0 */
/* router_test.c -- what a match reports. Which route wins is in route_matcher_test.c, which request
 * a criterion takes in route_match_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "route_fixture.h"

static void assert_slice(struct slice actual, const char *expected)
{
    if (expected == NULL ? actual.ptr != NULL : !slice_eq(actual, slice_of(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", SLICE_ARG(actual),
                 expected == NULL ? "nothing" : expected);
}

static void the_matched_bytes_of_the_path_are_reported(void **state)
{
    (void)state;
    const struct {
        const char *route, *path;
        size_t path_len;
        bool has_path;
    } rows[] = {
        {"'paths':['/']", "/abc", 1, true},
        {"'paths':['/ab','/a']", "/abc", 3, true},
        {"'paths':['/abd','/a']", "/abc", 2, true},
        {"'paths':['~/a.']", "/abc", 3, true},
        {"'paths':['~/a.*?']", "/abc", 2, true},
        {"'paths':['~/[0-9]','~/a.*']", "/abc", 4, true},
        {"'paths':['~']", "/abc", 0, true},
        {"'hosts':['a.test']", "/abc", 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[256];
        struct route_fixture fixture;
        snprintf(text, sizeof(text), "[{%s}]", rows[i].route);
        route_fixture_open(&fixture, text);
        assert_non_null(
            route_fixture_match(&fixture, &(struct route_fixture_request){.path = rows[i].path}));
        assert_int_equal(fixture.match.path_len, rows[i].path_len);
        assert_int_equal(fixture.match.has_path, rows[i].has_path);
        route_fixture_close(&fixture);
    }
}

static void groups_of_a_regex_path_are_captured(void **state)
{
    (void)state;
    struct route_fixture fixture;
    route_fixture_open(&fixture,
                       "[{'paths':['~/(?<kind>u|g)/(\\\\d+)(?<rest>/.*)?(?P<last>!*)']}]");
    assert_non_null(
        route_fixture_match(&fixture, &(struct route_fixture_request){.path = "/g/42"}));
    const struct router_capture *captures = fixture.match.captures;
    assert_int_equal(fixture.match.capture_count, 5);
    assert_slice(captures[0].name, NULL);
    assert_slice(captures[0].value, "/g/42");
    assert_slice(captures[1].name, "kind");
    assert_slice(captures[1].value, "g");
    assert_slice(captures[2].name, NULL);
    assert_slice(captures[2].value, "42");
    assert_slice(captures[3].name, "rest");
    assert_slice(captures[3].value, NULL);
    assert_slice(captures[4].name, "last");
    assert_slice(captures[4].value, "");
    route_fixture_close(&fixture);
}

static void a_plain_path_captures_nothing(void **state)
{
    (void)state;
    struct route_fixture fixture;
    /* The regex matches too, and is tested first or last: its groups must not remain. */
    route_fixture_open(&fixture, "[{'name':'plain','paths':['/a'],'methods':['GET']},"
                                 "{'name':'regex','paths':['~/(a)']}]");
    assert_string_equal(
        route_fixture_match(&fixture, &(struct route_fixture_request){.path = "/a"}), "plain");
    assert_null(fixture.match.captures);
    assert_int_equal(fixture.match.capture_count, 0);
    route_fixture_close(&fixture);
}

static void the_index_is_that_of_the_callers_array(void **state)
{
    (void)state;
    struct route_fixture fixture;
    route_fixture_open(&fixture, "[{'paths':['/b']},{'paths':['/']},{'paths':['/a']}]");
    static const char *const paths[] = {"/b", "/x", "/a"};
    for (size_t i = 0; i < 3; i++) {
        const struct route_fixture_request request = {.path = paths[i]};
        assert_non_null(route_fixture_match(&fixture, &request));
        assert_int_equal(fixture.match.index, i);
    }
    route_fixture_close(&fixture);
}

static void a_wrong_regex_is_logged_with_its_route(void **state)
{
    (void)state;
    char path[] = "/tmp/router_test.XXXXXX", line[512] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct log *log = log_create(path, LOG_LEVEL_ERROR);
    assert_non_null(log);
    struct route_fixture fixture;
    route_fixture_open(&fixture, "[{'id':'4711','paths':['~/(x']}]");
    struct router *router = router_create(fixture.routes, fixture.count, log);
    assert_non_null(router);
    router_destroy(router);
    route_fixture_close(&fixture);
    log_destroy(log);
    assert_true(read(fd, line, sizeof(line) - 1) > 0);
    assert_non_null(
        strstr(line, "route 4711: path regex '/(x' never matches: missing closing parenthesis"));
    close(fd);
    unlink(path);
}

static void destroying_nothing_is_harmless(void **state)
{
    (void)state;
    router_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_matched_bytes_of_the_path_are_reported),
        cmocka_unit_test(groups_of_a_regex_path_are_captured),
        cmocka_unit_test(a_plain_path_captures_nothing),
        cmocka_unit_test(the_index_is_that_of_the_callers_array),
        cmocka_unit_test(a_wrong_regex_is_logged_with_its_route),
        cmocka_unit_test(destroying_nothing_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
