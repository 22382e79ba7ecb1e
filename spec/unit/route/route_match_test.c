/* SPDX-License-Identifier: Apache-2.0 */
/* route_match_test.c -- the rule of each criterion, as a table (proxy-behaviour.md section 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "route_fixture.h"

struct row {
    const char *route;
    struct route_fixture_request request;
    bool is_match;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char rows_text[512];
        snprintf(rows_text, sizeof(rows_text), "[{%s}]", rows[i].route);
        const struct route_fixture_request *request = &rows[i].request;
        if (route_fixture_matches(rows_text, request) != rows[i].is_match)
            fail_msg(
                "row %zu: %s should %smatch method %s, host %s:%d, path %s, sni %s, headers %s", i,
                rows[i].route, rows[i].is_match ? "" : "not ",
                request->method ? request->method : "GET", request->host ? request->host : "a.test",
                request->port, request->path ? request->path : "/",
                request->sni ? request->sni : "-", request->headers ? request->headers : "-");
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(*(rows)))

static void methods_are_compared_exactly(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'methods':['GET']", {.method = "GET"}, true},
        {"'methods':['GET']", {.method = "POST"}, false},
        {"'methods':['GET']", {.method = "get"}, false},
        {"'methods':['GET']", {.method = "GETS"}, false},
        {"'methods':['GET']", {.method = "GE"}, false},
        {"'methods':['PUT','PURGE']", {.method = "PURGE"}, true},
        {"'methods':['PUT','PURGE']", {.method = "GET"}, false},
        {"'methods':null,'paths':['/']", {.method = "WHATEVER"}, true},
        {"'methods':[],'paths':['/']", {.method = "WHATEVER"}, true},
    };
    CHECK(rows);
}

static void hosts_are_compared_as_received(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'hosts':['a.test']", {.host = "a.test"}, true},
        {"'hosts':['a.test']", {.host = "A.test"}, false},
        {"'hosts':['A.test']", {.host = "A.test"}, true},
        {"'hosts':['a.test']", {.host = "a.test."}, false},
        {"'hosts':['a.test']", {.host = "b.a.test"}, false},
        {"'hosts':['a.test']", {.host = "a.tes"}, false},
        {"'hosts':['a.test']", {.host = ""}, false},
        {"'hosts':['a.test','b.test']", {.host = "b.test"}, true},
        {"'hosts':['a.test']", {.host = "a.test", .port = 81}, true},
        {"'hosts':['[::1]']", {.host = "[::1]", .port = 81}, true},
        {"'hosts':['[::1]:81']", {.host = "[::1]", .port = 81}, true},
        {"'hosts':['[::1]:81']", {.host = "[::1]", .port = 82}, false},
        {"'paths':['/']", {.host = ""}, true},
    };
    CHECK(rows);
}

static void a_host_with_a_port_asks_for_that_port(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'hosts':['a.test:81']", {.port = 81}, true},
        {"'hosts':['a.test:81']", {.port = 82}, false},
        {"'hosts':['a.test:81']", {.listener_port = 81}, true},
        {"'hosts':['a.test:81']", {.listener_port = 82}, false},
        {"'hosts':['a.test:81']", {.port = 82, .listener_port = 81}, false},
        {"'hosts':['a.test:81','a.test:82']", {.port = 82}, true},
        {"'hosts':['a.test:81','a.test']", {.port = 82}, true},
        {"'hosts':['a.test:0']", {.port = 80}, false},
        {"'hosts':['*.test:81']", {.port = 81}, true},
        {"'hosts':['*.test:81']", {.port = 82}, false},
        {"'hosts':['a.*:81']", {.port = 81}, true},
        {"'hosts':['a.*:81']", {.port = 82}, false},
    };
    CHECK(rows);
}

static void a_wildcard_stands_for_one_byte_or_more(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'hosts':['*.a.test']", {.host = "x.a.test"}, true},
        {"'hosts':['*.a.test']", {.host = "y.x.a.test"}, true},
        {"'hosts':['*.a.test']", {.host = "a.test"}, false},
        {"'hosts':['*.a.test']", {.host = ".a.test"}, false},
        {"'hosts':['*.a.test']", {.host = "xa.test"}, false},
        {"'hosts':['*.a.test']", {.host = "x.a.test.org"}, false},
        {"'hosts':['a.*']", {.host = "a.test"}, true},
        {"'hosts':['a.*']", {.host = "a.b.test"}, true},
        {"'hosts':['a.*']", {.host = "a."}, false},
        {"'hosts':['a.*']", {.host = "a"}, false},
        {"'hosts':['a.*']", {.host = "b.a.test"}, false},
        {"'hosts':['a.*']", {.host = ""}, false},
        {"'hosts':['*.a.test']", {.host = ""}, false},
        {"'hosts':['*.test','b.*']", {.host = "b.org"}, true},
    };
    CHECK(rows);
}

static void a_plain_path_is_a_prefix_without_segments(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'paths':['/foo']", {.path = "/foo"}, true},
        {"'paths':['/foo']", {.path = "/foo/"}, true},
        {"'paths':['/foo']", {.path = "/foobar"}, true},
        {"'paths':['/foo']", {.path = "/fo"}, false},
        {"'paths':['/foo']", {.path = "/Foo"}, false},
        {"'paths':['/foo/']", {.path = "/foo"}, false},
        {"'paths':['/']", {.path = "/"}, true},
        {"'paths':['/a','/bb','/cc']", {.path = "/cccc"}, true},
        {"'paths':['/a','/bb','/cc']", {.path = "/b"}, false},
        {"'paths':['/a.c']", {.path = "/abc"}, false},
        {"'paths':['/']", {.path = "*"}, false},
        {"'paths':['/']", {.path = ""}, false},
    };
    CHECK(rows);
}

static void a_regex_path_is_anchored_at_its_start_only(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'paths':['~/a.c']", {.path = "/abc"}, true},
        {"'paths':['~/a.c']", {.path = "/abcd"}, true},
        {"'paths':['~/a.c']", {.path = "/x/abc"}, false},
        {"'paths':['~/a.c$']", {.path = "/abcd"}, false},
        {"'paths':['~/a.c$']", {.path = "/abc\n"}, false},
        {"'paths':['~/A']", {.path = "/a"}, false},
        {"'paths':['~/(?i)A']", {.path = "/a"}, true},
        {"'paths':['~/a|/b']", {.path = "/b"}, true},
        {"'paths':['~/a|/b']", {.path = "/x/b"}, false},
        {"'paths':['~/\\\\d+','~/x']", {.path = "/12"}, true},
        {"'paths':['~/\\\\d+','~/x']", {.path = "/x"}, true},
        {"'paths':['~/\\\\d+','/p']", {.path = "/p"}, true},
        {"'paths':['~/(']", {.path = "/("}, false},
        {"'paths':['~/(','~/b']", {.path = "/b"}, true},
    };
    CHECK(rows);
}

static void every_header_must_have_one_of_its_values(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'headers':{'x-a':['1']}", {.headers = "X-A: 1"}, true},
        {"'headers':{'X-A':['1']}", {.headers = "x-a: 1"}, true},
        {"'headers':{'x-a':['1']}", {.headers = "X-A: 2"}, false},
        {"'headers':{'x-a':['1']}", {.headers = NULL}, false},
        {"'headers':{'x-a':['1']}", {.headers = "X-B: 1"}, false},
        {"'headers':{'x-a':['1']}", {.headers = "X_A: 1"}, false},
        {"'headers':{'x-a':['1','2']}", {.headers = "X-A: 2"}, true},
        {"'headers':{'x-a':['One']}", {.headers = "X-A: oNE"}, true},
        {"'headers':{'x-a':['1']}", {.headers = "X-A: 2\nX-A: 1"}, true},
        {"'headers':{'x-a':['1']}", {.headers = "X-A: 2, 1"}, false},
        {"'headers':{'x-a':['1'],'x-b':['2']}", {.headers = "X-A: 1\nX-B: 2"}, true},
        {"'headers':{'x-a':['1'],'x-b':['2']}", {.headers = "X-A: 1"}, false},
        {"'headers':{'accept':['text/html']}", {.headers = "Accept: text/html"}, true},
        {"'headers':{'accept':['text/html']}", {.headers = "Acceptor: text/html"}, false},
        {"'headers':{'accept':['text/html']}", {.headers = "User-Agent: text/html"}, false},
        {"'headers':{'x-a':[]}", {.headers = "X-A: 1"}, false},
    };
    CHECK(rows);
}

static void a_header_regex_is_searched_in_the_lower_cased_value(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'headers':{'x-a':['~*b+c']}", {.headers = "X-A: abBCd"}, true},
        {"'headers':{'x-a':['~*B']}", {.headers = "X-A: B"}, false},
        {"'headers':{'x-a':['~*\\\\D']}", {.headers = "X-A: 12"}, false},
        {"'headers':{'x-a':['~*\\\\D']}", {.headers = "X-A: 1x"}, true},
        {"'headers':{'x-a':['~*^b$']}", {.headers = "X-A: ab"}, false},
        {"'headers':{'x-a':['~*^b$']}", {.headers = "X-A: ab\nX-A: B"}, true},
        {"'headers':{'x-a':['~*b','c']}", {.headers = "X-A: ~*B"}, true},
        {"'headers':{'x-a':['~*b','c']}", {.headers = "X-A: b"}, false},
        {"'headers':{'x-a':['~*(']},'paths':['/']", {.headers = "X-A: ("}, false},
    };
    CHECK(rows);
}

static void a_header_regex_sees_the_whole_of_a_long_value(void **state)
{
    (void)state;
    char headers[4000] = "X-A: ";
    memset(headers + 5, 'A', sizeof(headers) - 7);
    headers[sizeof(headers) - 2] = 'Z';
    headers[sizeof(headers) - 1] = '\0';
    const struct row rows[] = {
        {"'headers':{'x-a':['~*^a+z$']}", {.headers = headers}, true},
        {"'headers':{'x-a':['~*^a+$']}", {.headers = headers}, false},
    };
    CHECK(rows);
}

static void snis_count_for_tls_only(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"'snis':['a.test']", {.is_tls = true, .sni = "a.test"}, true},
        {"'snis':['a.test']", {.is_tls = true, .sni = "b.test"}, false},
        {"'snis':['a.test']", {.is_tls = true}, false},
        {"'snis':['a.test']", {.is_tls = false}, true},
        {"'snis':['a.test']", {.is_tls = true, .sni = "a.test."}, true},
        {"'snis':['a.test.']", {.is_tls = true, .sni = "a.test"}, true},
        {"'snis':['a.test.']", {.is_tls = true, .sni = "a.test."}, true},
        {"'snis':['b.test','a.test']", {.is_tls = true, .sni = "a.test"}, true},
        {"'snis':['*.test']", {.is_tls = true, .sni = "a.test"}, true},
        {"'snis':['*.test']", {.is_tls = true, .sni = ".test"}, false},
        {"'snis':['*.test.']", {.is_tls = true, .sni = "a.test"}, true},
        {"'snis':['a.*']", {.is_tls = true, .sni = "a.test"}, true},
        {"'snis':['a.*']", {.is_tls = true, .sni = "b.test"}, false},
        {"'snis':['*']", {.is_tls = true, .sni = "b.test"}, true},
        {"'snis':['*']", {.is_tls = true}, false},
    };
    CHECK(rows);
}

static void all_criteria_of_a_route_must_be_met(void **state)
{
    (void)state;
    const char *route = "'methods':['GET'],'hosts':['a.test'],'paths':['/a'],'snis':['a.test'],"
                        "'headers':{'x-a':['1']}";
    const struct route_fixture_request good = {
        .path = "/a", .is_tls = true, .sni = "a.test", .headers = "X-A: 1"};
    struct row rows[6];
    for (size_t i = 0; i < 6; i++)
        rows[i] = (struct row){route, good, i == 0};
    rows[1].request.method = "PUT";
    rows[2].request.host = "b.test";
    rows[3].request.path = "/";
    rows[4].request.sni = "b.test";
    rows[5].request.headers = "X-A: 2";
    CHECK(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_compared_exactly),
        cmocka_unit_test(hosts_are_compared_as_received),
        cmocka_unit_test(a_host_with_a_port_asks_for_that_port),
        cmocka_unit_test(a_wildcard_stands_for_one_byte_or_more),
        cmocka_unit_test(a_plain_path_is_a_prefix_without_segments),
        cmocka_unit_test(a_regex_path_is_anchored_at_its_start_only),
        cmocka_unit_test(every_header_must_have_one_of_its_values),
        cmocka_unit_test(a_header_regex_is_searched_in_the_lower_cased_value),
        cmocka_unit_test(a_header_regex_sees_the_whole_of_a_long_value),
        cmocka_unit_test(snis_count_for_tls_only),
        cmocka_unit_test(all_criteria_of_a_route_must_be_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
