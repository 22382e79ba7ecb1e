/* SPDX-License-Identifier: Apache-2.0 */
/* http1_parse_test.c -- first lines, targets, Host; heads that arrive in pieces. Fields and framing
 * have tests of their own (http1_lines_test.c, http1_framing_test.c). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "http/http1_parse.h"

struct parsed {
    struct arena arena;
    char *bytes; /* exactly as many as were given, so that a sanitizer sees a read too far */
    struct http1_head head;
    size_t consumed;
    enum http1_result result;
};

static int setup(void **state)
{
    static struct parsed parsed;
    parsed = (struct parsed){0};
    arena_init(&parsed.arena, NULL);
    *state = &parsed;
    return 0;
}

static int teardown(void **state)
{
    struct parsed *p = *state;
    free(p->bytes);
    arena_clear(&p->arena);
    return 0;
}

static enum http1_result parse(struct parsed *p, struct slice wire, bool is_request)
{
    struct http1_scan scan = {0};
    arena_clear(&p->arena);
    free(p->bytes);
    p->bytes = malloc(wire.len + (wire.len == 0));
    assert_non_null(p->bytes);
    memcpy(p->bytes, wire.ptr, wire.len);
    struct slice bytes = slice_make(p->bytes, wire.len);
    p->consumed = 0;
    p->result = is_request ? http1_parse_request(bytes, &scan, &p->arena, &p->head, &p->consumed)
                           : http1_parse_response(bytes, &scan, SLICE("GET"), &p->arena, &p->head,
                                                  &p->consumed);
    return p->result;
}

/* Both ways: with nothing behind the head, and with bytes that make the parser search its end. */
static void expect_result(struct parsed *p, struct slice wire, bool is_request,
                          enum http1_result wanted)
{
    char longer[1024];
    assert_true(wire.len + 1 <= sizeof(longer));
    memcpy(longer, wire.ptr, wire.len);
    longer[wire.len] = 'x';
    for (size_t more = 0; more <= 1; more++) {
        enum http1_result result = parse(p, slice_make(longer, wire.len + more), is_request);
        if (result != wanted)
            fail_msg("'%.*s' (%zu more): result %d (%.*s), wanted %d", SLICE_ARG(wire), more,
                     result, SLICE_ARG(p->head.error), wanted);
        if (wanted != HTTP1_OK)
            assert_true(p->head.error.len > 0);
    }
}

#define HOST_AND_END "\r\nHost: a.test\r\n\r\n"

static void a_usual_request_is_parsed_into_its_parts(void **state)
{
    struct parsed *p = *state;
    struct slice wire =
        SLICE("GET /a/b?c=d HTTP/1.1\r\nHost: a.test:8000\r\nUser-Agent: curl/7.88\r\n"
              "Accept: */*\r\nX-Empty:\r\n\r\nbody");
    assert_int_equal(parse(p, wire, true), HTTP1_OK);
    assert_int_equal(p->consumed, wire.len - 4);
    assert_true(slice_eq(p->head.method, SLICE("GET")));
    assert_true(slice_eq(p->head.target, SLICE("/a/b?c=d")));
    assert_true(slice_eq(p->head.path_query, SLICE("/a/b?c=d")));
    assert_true(slice_eq(p->head.authority, SLICE("a.test:8000")));
    assert_null(p->head.scheme.ptr);
    assert_int_equal(p->head.minor_version, 1);
    assert_int_equal(p->head.headers.count, 4);
    assert_true(slice_eq(p->head.headers.fields[1].name, SLICE("User-Agent")));
    assert_int_equal(p->head.headers.fields[1].id, HTTP_NAME_USER_AGENT);
    assert_true(slice_eq(p->head.headers.fields[1].value, SLICE("curl/7.88")));
    assert_true(slice_eq(p->head.headers.fields[3].value, SLICE("")));
    assert_true(p->head.is_keep_alive);
}

static void a_usual_response_is_parsed_into_its_parts(void **state)
{
    struct parsed *p = *state;
    struct slice wire =
        SLICE("HTTP/1.1 404 Not  Found \r\nServer: x\r\nContent-Length: 3\r\n\r\nabc");
    assert_int_equal(parse(p, wire, false), HTTP1_OK);
    assert_int_equal(p->consumed, wire.len - 3);
    assert_int_equal(p->head.status, 404);
    assert_true(slice_eq(p->head.reason, SLICE("Not  Found ")));
    assert_int_equal(p->head.minor_version, 1);
    assert_int_equal(p->head.headers.count, 2);
}

static void good_request_lines_are_accepted(void **state)
{
    const struct slice lines[] = {
        SLICE("GET / HTTP/1.1"),
        SLICE("GET / HTTP/1.0"),
        SLICE("get / HTTP/1.1"),
        SLICE("M-SEARCH /x HTTP/1.1"),
        SLICE("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"),
        SLICE("GET /%zz HTTP/1.1"), /* the path is judged when it is normalised */
        SLICE("GET //a//b?? HTTP/1.1"),
        SLICE("GET /\"<>\\^`{|} HTTP/1.1"),
        SLICE("OPTIONS * HTTP/1.1"),
        SLICE("GET http://a.test/ HTTP/1.1"),
        SLICE("GET HTTPS://a.test:1/x?y HTTP/1.1"),
        SLICE("GET http://[::1]:8000 HTTP/1.1"),
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char wire[256];
        memcpy(wire, lines[i].ptr, lines[i].len);
        memcpy(wire + lines[i].len, HOST_AND_END, strlen(HOST_AND_END));
        expect_result(*state, slice_make(wire, lines[i].len + strlen(HOST_AND_END)), true,
                      HTTP1_OK);
    }
}

static void bad_request_lines_are_refused(void **state)
{
    const struct {
        struct slice line;
        enum http1_result wanted;
    } cases[] = {
        {SLICE(" GET / HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET  / HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET\t/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET /  HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1 "), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\t"), HTTP1_BAD},
        {SLICE("GET /a b HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1 HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET /"), HTTP1_BAD},
        {SLICE("GET / "), HTTP1_BAD},
        {SLICE("GET HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET"), HTTP1_BAD},
        {SLICE("G(T / HTTP/1.1"), HTTP1_BAD},
        {SLICE("G\0T / HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET / http/1.1"), HTTP1_BAD},
        {SLICE("GET / HTTP/1"), HTTP1_BAD},
        {SLICE("GET / HTTP/1."), HTTP1_BAD},
        {SLICE("GET / HTTP/1.10"), HTTP1_BAD},
        {SLICE("GET / HTTP/11.1"), HTTP1_BAD},
        {SLICE("GET / HTTP/1,1"), HTTP1_BAD},
        {SLICE("GET / HTTP/a.1"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.x"), HTTP1_BAD},
        {SLICE("GET / XTTP/1.1"), HTTP1_BAD},
        {SLICE("GET / HTTP/2.0"), HTTP1_BAD_VERSION},
        {SLICE("GET / HTTP/0.9"), HTTP1_BAD_VERSION},
        {SLICE("PRI * HTTP/2.0"), HTTP1_BAD_VERSION},
        {SLICE("GET /a#b HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET /\xc3\xa4 HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET /a\0b HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET /a\rb HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET /\rHost: x HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r"), HTTP1_BAD},
        {SLICE("GET a HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET ?a HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET * HTTP/1.1"), HTTP1_BAD},
        {SLICE("OPTIONS *x HTTP/1.1"), HTTP1_BAD},
        {SLICE("OPTIONS ** HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET a.test:80 HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http: HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http:/a HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http:// HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http:///a HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http://?a HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http://u@a.test/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http://u:p@a.test/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http://a.test:/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http://a.test:99999/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http://a\\b/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET http://[::1/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET ftp://a.test/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("GET ://a.test/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("CONNECT a.test:443 HTTP/1.1"), HTTP1_BAD_METHOD},
        {SLICE("CONNECT a.test HTTP/1.1"), HTTP1_BAD},
        {SLICE("CONNECT / HTTP/1.1"), HTTP1_BAD},
        {SLICE("CONNECT http://a.test/ HTTP/1.1"), HTTP1_BAD},
        {SLICE("CONNECT * HTTP/1.1"), HTTP1_BAD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wire[256];
        memcpy(wire, cases[i].line.ptr, cases[i].line.len);
        memcpy(wire + cases[i].line.len, HOST_AND_END, strlen(HOST_AND_END));
        expect_result(*state, slice_make(wire, cases[i].line.len + strlen(HOST_AND_END)), true,
                      cases[i].wanted);
    }
}

static void a_later_minor_version_is_taken_for_1_1(void **state)
{
    struct parsed *p = *state;
    assert_int_equal(parse(p, SLICE("GET / HTTP/1.9\r\nHost: a\r\n\r\n"), true), HTTP1_OK);
    assert_int_equal(p->head.minor_version, 1);
}

static void every_byte_is_judged_in_method_and_target(void **state)
{
    struct parsed *p = *state;
    for (int c = 0; c < 256; c++) {
        char wire[] = "GxT /axb HTTP/1.1\r\nHost: a\r\n\r\n";
        bool is_token = c > 32 && c < 127 && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
        wire[1] = (char)c;
        assert_int_equal(parse(p, slice_make(wire, sizeof(wire) - 1), true),
                         is_token ? HTTP1_OK : HTTP1_BAD);
        wire[1] = 'E';
        wire[6] = (char)c;
        bool is_target = c > 32 && c < 127 && c != '#';
        assert_int_equal(parse(p, slice_make(wire, sizeof(wire) - 1), true),
                         is_target ? HTTP1_OK : HTTP1_BAD);
    }
}

static void absolute_form_wins_over_the_host_header(void **state)
{
    struct parsed *p = *state;
    assert_int_equal(parse(p, SLICE("GET http://b.test:1/x?y HTTP/1.1" HOST_AND_END), true),
                     HTTP1_OK);
    assert_true(slice_eq(p->head.authority, SLICE("b.test:1")));
    assert_true(slice_eq(p->head.path_query, SLICE("/x?y")));
    assert_true(slice_eq(p->head.scheme, SLICE("http")));
    assert_true(slice_eq(p->head.target, SLICE("http://b.test:1/x?y")));
}

static void absolute_form_without_path_has_the_root_path(void **state)
{
    struct parsed *p = *state;
    assert_int_equal(parse(p, SLICE("GET http://b.test HTTP/1.1" HOST_AND_END), true), HTTP1_OK);
    assert_true(slice_eq(p->head.path_query, SLICE("/")));
    assert_int_equal(parse(p, SLICE("GET http://b.test?x/y HTTP/1.1" HOST_AND_END), true),
                     HTTP1_OK);
    assert_true(slice_eq(p->head.path_query, SLICE("/?x/y")));
    assert_true(slice_eq(p->head.authority, SLICE("b.test")));
}

static void the_asterisk_is_the_path_of_options(void **state)
{
    struct parsed *p = *state;
    assert_int_equal(parse(p, SLICE("OPTIONS * HTTP/1.1" HOST_AND_END), true), HTTP1_OK);
    assert_true(slice_eq(p->head.path_query, SLICE("*")));
    assert_true(slice_eq(p->head.authority, SLICE("a.test")));
}

static void http_1_1_has_exactly_one_valid_host(void **state)
{
    const struct {
        struct slice wire;
        enum http1_result wanted;
    } cases[] = {
        {SLICE("GET / HTTP/1.1\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost:\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: a:x\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET http://a/ HTTP/1.1\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.1\r\nHost: \t a:80 \t\r\n\r\n"), HTTP1_OK},
        {SLICE("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), HTTP1_OK},
        {SLICE("GET / HTTP/1.0\r\n\r\n"), HTTP1_OK},
        {SLICE("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), HTTP1_BAD},
        {SLICE("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"), HTTP1_BAD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_result(*state, cases[i].wire, true, cases[i].wanted);
}

static void http_1_0_without_host_has_an_empty_authority(void **state)
{
    struct parsed *p = *state;
    assert_int_equal(parse(p, SLICE("GET / HTTP/1.0\r\n\r\n"), true), HTTP1_OK);
    assert_true(p->head.authority.ptr != NULL && p->head.authority.len == 0);
    assert_int_equal(p->head.minor_version, 0);
}

static void status_lines_are_judged(void **state)
{
    const struct {
        struct slice line;
        enum http1_result wanted;
    } cases[] = {
        {SLICE("HTTP/1.1 200 OK"), HTTP1_OK},
        {SLICE("HTTP/1.1 200 "), HTTP1_OK},
        {SLICE("HTTP/1.1 200"), HTTP1_OK},
        {SLICE("HTTP/1.0 999 \xc3\xa4\tb"), HTTP1_OK},
        {SLICE("HTTP/1.1 100 Continue"), HTTP1_OK},
        {SLICE("HTTP/1.1 099 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1 000 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1 20 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1 2000 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1 2x0 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1 -20 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1  200 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1\t200 x"), HTTP1_BAD},
        {SLICE("HTTP/1.1 200\tx"), HTTP1_BAD},
        {SLICE("HTTP/1.1 200 a\0b"), HTTP1_BAD},
        {SLICE("HTTP/1.1 200 a\rb"), HTTP1_BAD},
        {SLICE("HTTP/1.1 200\rOK"), HTTP1_BAD},
        {SLICE("HTTP/1.1"), HTTP1_BAD},
        {SLICE("HTTP/1.1 "), HTTP1_BAD},
        {SLICE("HTTP/2.0 200 OK"), HTTP1_BAD},
        {SLICE("HTTP/0.9 200 OK"), HTTP1_BAD},
        {SLICE("http/1.1 200 OK"), HTTP1_BAD},
        {SLICE("ICY 200 OK"), HTTP1_BAD},
        {SLICE("<html>"), HTTP1_BAD},
        {SLICE(""), HTTP1_BAD},
        {SLICE("\r\nHTTP/1.1 200 OK"), HTTP1_BAD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wire[128];
        memcpy(wire, cases[i].line.ptr, cases[i].line.len);
        memcpy(wire + cases[i].line.len, "\r\nA: b\r\n\r\n", 10);
        expect_result(*state, slice_make(wire, cases[i].line.len + 10), false, cases[i].wanted);
    }
}

static void every_front_of_a_good_head_is_incomplete(void **state)
{
    struct parsed *p = *state;
    struct slice request =
        SLICE("\r\n\r\nPOST /a HTTP/1.1\r\nHost: a\r\nX:  y \r\nContent-Length: 1\r\n\r\n");
    struct slice response = SLICE("HTTP/1.1 200 OK\r\nX: y\r\n\r\n");
    for (size_t len = 0; len < request.len; len++)
        assert_int_equal(parse(p, slice_make(request.ptr, len), true), HTTP1_INCOMPLETE);
    for (size_t len = 0; len < response.len; len++)
        assert_int_equal(parse(p, slice_make(response.ptr, len), false), HTTP1_INCOMPLETE);
    assert_int_equal(parse(p, request, true), HTTP1_OK);
    assert_int_equal(parse(p, response, false), HTTP1_OK);
}

/* Gives the head in pieces of `step` bytes, with one scan, from memory that grows. */
static void expect_same_in_steps(struct parsed *p, struct slice wire, size_t head_len,
                                 bool is_request, size_t step)
{
    struct http1_scan scan = {0};
    for (size_t len = step;; len += step) {
        len = len > wire.len ? wire.len : len;
        char *bytes = malloc(len);
        assert_non_null(bytes);
        memcpy(bytes, wire.ptr, len);
        struct slice so_far = slice_make(bytes, len);
        enum http1_result result =
            is_request ? http1_parse_request(so_far, &scan, &p->arena, &p->head, &p->consumed)
                       : http1_parse_response(so_far, &scan, SLICE("GET"), &p->arena, &p->head,
                                              &p->consumed);
        assert_int_equal(result, len < head_len ? HTTP1_INCOMPLETE : HTTP1_OK);
        assert_true(scan.searched <= len);
        free(bytes);
        if (result == HTTP1_OK)
            break;
    }
    assert_int_equal(p->consumed, head_len);
    assert_int_equal(p->head.headers.count, 3);
}

static void a_head_in_pieces_of_any_size_is_the_same_head(void **state)
{
    struct slice request =
        SLICE("\r\nGET /a HTTP/1.1\r\nHost: a\r\nX: y\r\nZ:\r\n\r\nGET /b HTTP/1.1\r\n");
    struct slice response = SLICE("HTTP/1.1 200 OK\r\nX: y\r\nY: z\r\nZ:\r\n\r\nbody\r\n\r\n");
    for (size_t step = 1; step <= request.len; step++)
        expect_same_in_steps(*state, request, request.len - 17, true, step);
    for (size_t step = 1; step <= response.len; step++)
        expect_same_in_steps(*state, response, response.len - 8, false, step);
}

static void two_empty_lines_are_skipped_and_a_third_is_refused(void **state)
{
    struct parsed *p = *state;
    assert_int_equal(parse(p, SLICE("\r\n\r\nGET / HTTP/1.1" HOST_AND_END), true), HTTP1_OK);
    assert_int_equal(p->consumed, 4 + 14 + strlen(HOST_AND_END));
    expect_result(p, SLICE("\r\n\r\n\r\nGET / HTTP/1.1" HOST_AND_END), true, HTTP1_BAD);
    expect_result(p, SLICE("\r\n\r\n\r\n"), true, HTTP1_BAD);
    expect_result(p, SLICE("\nGET / HTTP/1.1" HOST_AND_END), true, HTTP1_BAD);
}

static void a_peer_that_speaks_something_else_is_refused_before_its_head_ends(void **state)
{
    struct parsed *p = *state;
    assert_int_equal(parse(p, SLICE("\x16\x03\x01"), true), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("\x80"), true), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("\rG"), true), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("GET /\r\n"), true), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("GET / HTTP/2.0\r\nX"), true), HTTP1_BAD_VERSION);
    assert_int_equal(parse(p, SLICE("GET / HTTP/1.1\nHost"), true), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("GET / HTTP/1.1\r\nHost: a\n"), true), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("SSH"), false), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("\r"), false), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("HTTP/"), false), HTTP1_INCOMPLETE);
    assert_int_equal(parse(p, SLICE("HTTP/2"), false), HTTP1_BAD);
    assert_int_equal(parse(p, SLICE("HTTP/1.1 OK\r\n"), false), HTTP1_BAD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_usual_request_is_parsed_into_its_parts),
        TEST(a_usual_response_is_parsed_into_its_parts),
        TEST(good_request_lines_are_accepted),
        TEST(bad_request_lines_are_refused),
        TEST(a_later_minor_version_is_taken_for_1_1),
        TEST(every_byte_is_judged_in_method_and_target),
        TEST(absolute_form_wins_over_the_host_header),
        TEST(absolute_form_without_path_has_the_root_path),
        TEST(the_asterisk_is_the_path_of_options),
        TEST(http_1_1_has_exactly_one_valid_host),
        TEST(http_1_0_without_host_has_an_empty_authority),
        TEST(status_lines_are_judged),
        TEST(every_front_of_a_good_head_is_incomplete),
        TEST(a_head_in_pieces_of_any_size_is_the_same_head),
        TEST(two_empty_lines_are_skipped_and_a_third_is_refused),
        TEST(a_peer_that_speaks_something_else_is_refused_before_its_head_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
