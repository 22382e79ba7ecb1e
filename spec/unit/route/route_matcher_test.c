/* SPDX-License-Identifier: Apache-2.0 */
/* route_matcher_test.c -- which of two routes comes first (proxy-behaviour.md section 4.1), and how
 * a route is split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "config/entity.h"
#include "route/route_matcher.h"
#include "route_fixture.h"

struct opened {
    struct route_fixture fixture;
    struct arena arena;
    struct route_matchers matchers;
};

static void open_matchers(struct opened *opened, const char *rows)
{
    route_fixture_open(&opened->fixture, rows);
    arena_init(&opened->arena, NULL);
    struct route_regex_set *regexes = route_regex_set_create(&opened->arena);
    assert_non_null(regexes);
    assert_true(route_matchers_init(&opened->matchers, &opened->arena, opened->fixture.routes,
                                    opened->fixture.count, regexes, NULL));
}

static void close_matchers(struct opened *opened)
{
    arena_clear(&opened->arena);
    route_fixture_close(&opened->fixture);
}

static void the_number_has_the_layout_of_kong(void **state)
{
    (void)state;
    const struct {
        const char *route;
        uint64_t priority;
    } rows[] = {
        {"'methods':['GET']", UINT64_C(1) << 61},
        {"'snis':['a.test']", UINT64_C(1) << 61},
        {"'paths':['/']", UINT64_C(1) << 61 | 1},
        {"'paths':['/abc']", UINT64_C(1) << 61 | 4},
        {"'hosts':['a.test']", UINT64_C(1) << 61 | UINT64_C(1) << 60},
        {"'hosts':['a.test','*.test']", UINT64_C(1) << 61},
        {"'headers':{'a':['1'],'b':['1']}", UINT64_C(1) << 61 | UINT64_C(2) << 52},
        {"'methods':['GET'],'hosts':['a.test'],'headers':{'a':['1']},'paths':['/a'],'snis':['b.c']",
         UINT64_C(5) << 61 | UINT64_C(1) << 60 | UINT64_C(1) << 52 | 2},
        {"'paths':['~/a']", UINT64_C(1) << 61 | UINT64_C(1) << 51 | UINT64_C(1) << 50},
        {"'paths':['~/a'],'regex_priority':1",
         UINT64_C(1) << 61 | UINT64_C(1) << 51 | UINT64_C(1) << 50 | UINT64_C(1) << 19},
        {"'paths':['~/a'],'regex_priority':-1",
         UINT64_C(1) << 61 | UINT64_C(1) << 51 | ((UINT64_C(1) << 50) - (UINT64_C(1) << 19))},
        {"'paths':['/'],'regex_priority':7", UINT64_C(1) << 61 | 1},
        {"'paths':['~/a'],'regex_priority':9000000000000000",
         UINT64_C(1) << 61 | UINT64_C(1) << 51 | UINT64_C(0xffffffff) << 19},
        {"'paths':['~/a'],'regex_priority':-9000000000000000", UINT64_C(1) << 61 | UINT64_C(1)
                                                                                       << 51},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[512];
        struct opened opened;
        snprintf(text, sizeof(text), "[{%s}]", rows[i].route);
        open_matchers(&opened, text);
        assert_int_equal(opened.matchers.count, 1);
        if (opened.matchers.items[0].priority != rows[i].priority)
            fail_msg("%s: got %#llx, expected %#llx", rows[i].route,
                     (unsigned long long)opened.matchers.items[0].priority,
                     (unsigned long long)rows[i].priority);
        close_matchers(&opened);
    }
}

static void more_than_255_headers_count_as_255(void **state)
{
    (void)state;
    char text[16384] = "[{'headers':{";
    for (int i = 0; i < 300; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s'x%d':['1']",
                 i == 0 ? "" : ",", i);
    strcat(text, "}}]");
    struct opened opened;
    open_matchers(&opened, text);
    assert_int_equal(opened.matchers.items[0].priority, UINT64_C(1) << 61 | UINT64_C(255) << 52);
    close_matchers(&opened);
}

/* Both routes of a row take GET http://a.test/abc with X-A: 1 and SNI a.test. */
static void the_first_of_two_routes_wins(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"'methods':['GET'],'paths':['/']", "'hosts':['a.test']"},     /* more criteria */
        {"'methods':['GET'],'snis':['a.test']", "'hosts':['a.test']"}, /* likewise */
        {"'hosts':['a.test']", "'paths':['~/abc']"},                   /* plain host */
        {"'hosts':['a.test']", "'hosts':['*.test']"},                  /* likewise */
        {"'hosts':['a.test']", "'hosts':['a.test','*.test']"},         /* likewise */
        {"'hosts':['a.test'],'paths':['/']", "'hosts':['a.*'],'paths':['~/abc']"},
        {"'headers':{'x-a':['1']}", "'paths':['~/abc']"}, /* more headers */
        {"'headers':{'x-a':['1'],'x-b':['2']}", "'headers':{'x-a':['1']}"},
        {"'paths':['~/a']", "'paths':['/abc']"},                      /* regex */
        {"'paths':['~/a'],'regex_priority':1", "'paths':['~/abc']"},  /* its priority */
        {"'paths':['~/a']", "'paths':['~/abc'],'regex_priority':-1"}, /* likewise */
        {"'paths':['/ab']", "'paths':['/a']"},                        /* longer path */
        {"'paths':['/ab']", "'methods':['GET']"},                     /* likewise */
        {"'paths':['/','/ab']", "'paths':['/a']"},                    /* each length counts */
        {"'paths':['/','~/abc']", "'paths':['/abc']"},                /* and regexes apart */
        {"'paths':['/'],'id':'b'", "'paths':['/'],'id':'a'"},         /* higher id */
        {"'paths':['/'],'id':'ab'", "'paths':['/'],'id':'a'"},
        {"'paths':['~/.*'],'id':'b'", "'paths':['~/a'],'id':'a'"},
        {"'paths':['/'],'id':'b','created_at':9", "'paths':['/'],'id':'a','created_at':1"},
    };
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
        bool is_turned = i % 2 == 1;
        const char *first = rows[i / 2][0], *second = rows[i / 2][1];
        char text[1024];
        struct route_fixture fixture;
        snprintf(text, sizeof(text), "[{'name':'%s',%s},{'name':'%s',%s}]",
                 is_turned ? "second" : "first", is_turned ? second : first,
                 is_turned ? "first" : "second", is_turned ? first : second);
        route_fixture_open(&fixture, text);
        const struct route_fixture_request request = {
            .path = "/abc", .is_tls = true, .sni = "a.test", .headers = "X-A: 1\nX-B: 2"};
        const char *name = route_fixture_match(&fixture, &request);
        if (name == NULL || strcmp(name, "first") != 0)
            fail_msg("%s should come before %s", first, second);
        route_fixture_close(&fixture);
    }
}

static void a_route_is_split_by_the_lengths_of_its_paths(void **state)
{
    (void)state;
    struct opened opened;
    open_matchers(&opened, "[{'paths':['/cc','~/y','/','/bb','~/x']}]");
    const struct route_matcher *items = opened.matchers.items;
    assert_int_equal(opened.matchers.count, 3);
    assert_int_equal(items[0].regex_count, 2); /* first, and in the order of the route */
    assert_true(slice_eq(route_regex_literal(items[0].regexes[0]), SLICE("/y")));
    assert_int_equal(items[1].path_len, 3);
    assert_int_equal(items[1].path_count, 2); /* sorted */
    assert_true(slice_eq(items[1].paths[0], SLICE("/bb")));
    assert_int_equal(items[2].path_len, 1);
    assert_int_equal(items[2].path_count, 1);
    close_matchers(&opened);
}

static void a_route_with_a_wrong_regex_is_left_out(void **state)
{
    (void)state;
    struct opened opened;
    open_matchers(&opened, "[{'paths':['~/(']},{'headers':{'a':['~*(']},'paths':['/']},"
                           "{'name':'good','paths':['~/(','/a']}]");
    assert_int_equal(opened.matchers.count, 1);
    assert_true(slice_eq(opened.matchers.items[0].criteria->route->entity.name, SLICE("good")));
    close_matchers(&opened);
}

static void a_host_is_taken_apart(void **state)
{
    (void)state;
    const struct {
        const char *text, *name;
        int port; /* -1: none */
        enum route_host_kind kind;
    } rows[] = {
        {"a.test", "a.test", -1, ROUTE_HOST_EXACT},
        {"a.test:80", "a.test", 80, ROUTE_HOST_EXACT},
        {"a.test:0", "a.test", 0, ROUTE_HOST_EXACT},
        {"a.test:65536", "a.test:65536", -1, ROUTE_HOST_EXACT},
        {"*.test", ".test", -1, ROUTE_HOST_SUFFIX},
        {"*.test:443", ".test", 443, ROUTE_HOST_SUFFIX},
        {"a.*", "a.", -1, ROUTE_HOST_PREFIX},
        {"a.*:8080", "a.", 8080, ROUTE_HOST_PREFIX},
        {"[::1]", "[::1]", -1, ROUTE_HOST_EXACT},
        {"[::1]:80", "[::1]", 80, ROUTE_HOST_EXACT},
        {"::1", "::1", -1, ROUTE_HOST_EXACT},
        {"fe80::12:80", "fe80::12:80", -1, ROUTE_HOST_EXACT},
        {"[", "[", -1, ROUTE_HOST_EXACT},
        {":", ":", -1, ROUTE_HOST_EXACT},
        {"", "", -1, ROUTE_HOST_EXACT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct route_host host = route_matcher_host(slice_of(rows[i].text));
        if (!slice_eq(host.name, slice_of(rows[i].name)) || host.kind != rows[i].kind ||
            host.has_port != (rows[i].port >= 0) || (host.has_port && host.port != rows[i].port))
            fail_msg("\"%s\" gives \"%.*s\", port %d", rows[i].text, SLICE_ARG(host.name),
                     host.has_port ? host.port : -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_has_the_layout_of_kong),
        cmocka_unit_test(more_than_255_headers_count_as_255),
        cmocka_unit_test(the_first_of_two_routes_wins),
        cmocka_unit_test(a_route_is_split_by_the_lengths_of_its_paths),
        cmocka_unit_test(a_route_with_a_wrong_regex_is_left_out),
        cmocka_unit_test(a_host_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
