/* SPDX-License-Identifier: Apache-2.0 */
/* http1_framing_test.c -- body, keep-alive, upgrade and expectation, through the parsers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/arena.h"
#include "http/http1_parse.h"

static int setup(void **state)
{
    static struct arena arena;
    arena_init(&arena, NULL);
    *state = &arena;
    return 0;
}

static int teardown(void **state)
{
    arena_clear(*state);
    return 0;
}

static enum http1_result parse_request(struct arena *arena, int minor, const char *fields,
                                       struct http1_head *head)
{
    struct slice wire = arena_printf(arena, "POST / HTTP/1.%d\r\nHost: a\r\n%s\r\n", minor, fields);
    struct http1_scan scan = {0};
    size_t consumed;
    assert_non_null(wire.ptr);
    return http1_parse_request(wire, &scan, arena, head, &consumed);
}

static enum http1_result parse_response(struct arena *arena, const char *method, int minor,
                                        int status, const char *fields, struct http1_head *head)
{
    struct slice wire = arena_printf(arena, "HTTP/1.%d %d x\r\n%s\r\n", minor, status, fields);
    struct http1_scan scan = {0};
    size_t consumed;
    assert_non_null(wire.ptr);
    return http1_parse_response(wire, &scan, slice_of(method), arena, head, &consumed);
}

static void request_bodies_are_framed_by_one_clear_field(void **state)
{
    const struct {
        int minor;
        const char *fields;
        enum http1_body body;
        uint64_t length;
    } cases[] = {
        {1, "", HTTP1_BODY_NONE, 0},
        {0, "", HTTP1_BODY_NONE, 0},
        {1, "Content-Length: 0\r\n", HTTP1_BODY_LENGTH, 0},
        {0, "Content-Length: 12\r\n", HTTP1_BODY_LENGTH, 12},
        {1, "content-length:\t0012 \r\n", HTTP1_BODY_LENGTH, 12},
        {1, "Content-Length: 9223372036854775807\r\n", HTTP1_BODY_LENGTH, INT64_MAX},
        {1, "Transfer-Encoding: chunked\r\n", HTTP1_BODY_CHUNKED, 0},
        {1, "transfer-encoding:CHUNKED\t\r\n", HTTP1_BODY_CHUNKED, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http1_head head;
        if (parse_request(*state, cases[i].minor, cases[i].fields, &head) != HTTP1_OK)
            fail_msg("refused: %s", cases[i].fields);
        assert_int_equal(head.body, cases[i].body);
        assert_true(head.content_length == cases[i].length);
    }
}

static const struct {
    int minor;
    const char *fields;
    enum http1_result request; /* a response is always HTTP1_BAD */
} doubtful[] = {
    {1, "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", HTTP1_BAD},
    {1, "Content-Length: 1\r\nContent-Length: 1\r\n", HTTP1_BAD},
    {1, "Content-Length: 1\r\nContent-Length: 2\r\n", HTTP1_BAD},
    {1, "Content-Length: 1, 1\r\n", HTTP1_BAD},
    {1, "Content-Length: 1,\r\n", HTTP1_BAD},
    {1, "Content-Length:\r\n", HTTP1_BAD},
    {1, "Content-Length: +1\r\n", HTTP1_BAD},
    {1, "Content-Length: -1\r\n", HTTP1_BAD},
    {1, "Content-Length: 0x1\r\n", HTTP1_BAD},
    {1, "Content-Length: 1 1\r\n", HTTP1_BAD},
    {1, "Content-Length: 1.0\r\n", HTTP1_BAD},
    {1, "Content-Length: 1e3\r\n", HTTP1_BAD},
    {1, "Content-Length: \xd9\xa1\r\n", HTTP1_BAD},
    {1, "Content-Length: \"1\"\r\n", HTTP1_BAD},
    {1, "Content-Length: 9223372036854775808\r\n", HTTP1_BAD},
    {1, "Content-Length: 18446744073709551616\r\n", HTTP1_BAD},
    {1, "Content-Length: 18446744073709551617\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding:\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: identity\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: gzip\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunked, gzip\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunked, identity\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunked, chunked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: gzip, chunked, chunked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: ,chunked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunked,\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: xchunked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunkedx\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chunked;q=1\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: \"chunked\"\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: chu nked\r\n", HTTP1_BAD},
    {1, "Transfer-Encoding: gzip, chunked\r\n", HTTP1_BAD_CODING},
    {1, "Transfer-Encoding: identity,chunked\r\n", HTTP1_BAD_CODING},
    {0, "Transfer-Encoding: chunked\r\n", HTTP1_BAD},
    {0, "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", HTTP1_BAD},
};

static void doubtful_framing_is_refused_in_both_directions(void **state)
{
    for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++) {
        struct http1_head head;
        if (parse_request(*state, doubtful[i].minor, doubtful[i].fields, &head) !=
            doubtful[i].request)
            fail_msg("request with %s", doubtful[i].fields);
        assert_true(head.error.len > 0);
        if (parse_response(*state, "GET", doubtful[i].minor, 200, doubtful[i].fields, &head) !=
            HTTP1_BAD)
            fail_msg("response with %s", doubtful[i].fields);
        assert_true(head.error.len > 0);
    }
}

static void response_bodies_are_framed_by_method_status_and_field(void **state)
{
    const struct {
        const char *method;
        int minor, status;
        const char *fields;
        enum http1_body body;
        bool is_keep_alive;
    } cases[] = {
        {"GET", 1, 200, "Content-Length: 3\r\n", HTTP1_BODY_LENGTH, true},
        {"GET", 1, 200, "Transfer-Encoding: chunked\r\n", HTTP1_BODY_CHUNKED, true},
        {"GET", 1, 200, "", HTTP1_BODY_UNTIL_CLOSE, false},
        {"GET", 0, 200, "Connection: keep-alive\r\n", HTTP1_BODY_UNTIL_CLOSE, false},
        {"GET", 0, 200, "Connection: keep-alive\r\nContent-Length: 3\r\n", HTTP1_BODY_LENGTH, true},
        {"GET", 0, 200, "Content-Length: 3\r\n", HTTP1_BODY_LENGTH, false},
        {"HEAD", 1, 200, "Content-Length: 3\r\n", HTTP1_BODY_NONE, true},
        {"HEAD", 1, 200, "Transfer-Encoding: chunked\r\n", HTTP1_BODY_NONE, true},
        {"HEAD", 1, 200, "", HTTP1_BODY_NONE, true},
        {"head", 1, 200, "Content-Length: 3\r\n", HTTP1_BODY_LENGTH, true},
        {"GET", 1, 204, "Content-Length: 3\r\n", HTTP1_BODY_NONE, true},
        {"GET", 1, 204, "", HTTP1_BODY_NONE, true},
        {"GET", 1, 304, "Content-Length: 3\r\n", HTTP1_BODY_NONE, true},
        {"GET", 1, 304, "Transfer-Encoding: chunked\r\n", HTTP1_BODY_NONE, true},
        {"GET", 1, 100, "", HTTP1_BODY_NONE, true},
        {"GET", 1, 101, "", HTTP1_BODY_NONE, true},
        {"GET", 1, 103, "Content-Length: 3\r\n", HTTP1_BODY_NONE, true},
        {"CONNECT", 1, 200, "Content-Length: 3\r\n", HTTP1_BODY_NONE, true},
        {"CONNECT", 1, 403, "Content-Length: 3\r\n", HTTP1_BODY_LENGTH, true},
        {"GET", 1, 205, "", HTTP1_BODY_UNTIL_CLOSE, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http1_head head;
        assert_int_equal(parse_response(*state, cases[i].method, cases[i].minor, cases[i].status,
                                        cases[i].fields, &head),
                         HTTP1_OK);
        if (head.body != cases[i].body || head.is_keep_alive != cases[i].is_keep_alive)
            fail_msg("%s, status %d, %s: body %d, keep-alive %d", cases[i].method, cases[i].status,
                     cases[i].fields, head.body, head.is_keep_alive);
    }
}

static void both_framing_fields_are_refused_even_where_no_body_can_be(void **state)
{
    const char *both = "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n";
    struct http1_head head;
    assert_int_equal(parse_response(*state, "HEAD", 1, 200, both, &head), HTTP1_BAD);
    assert_int_equal(parse_response(*state, "GET", 1, 304, both, &head), HTTP1_BAD);
    assert_int_equal(parse_response(*state, "GET", 1, 100, both, &head), HTTP1_BAD);
}

static void connection_options_decide_keep_alive_and_upgrade(void **state)
{
    const struct {
        int minor;
        const char *fields;
        bool is_keep_alive, has_upgrade;
    } cases[] = {
        {1, "", true, false},
        {0, "", false, false},
        {1, "Connection: close\r\n", false, false},
        {1, "Connection: x, CLOSE\r\n", false, false},
        {1, "Connection: keep-alive\r\nConnection: close\r\n", false, false},
        {1, "Connection: keep-alive\r\n", true, false},
        {0, "Connection: Keep-Alive\r\n", true, false},
        {0, "Connection: keep-alive, close\r\n", false, false},
        {0, "Connection: x\r\nConnection: y,keep-alive\r\n", true, false},
        {0, "Keep-Alive: timeout=5\r\n", false, false},
        {1, "Connection: closed\r\n", true, false},
        {1, "Connection: \r\n", true, false},
        {1, "Connection: Upgrade\r\nUpgrade: websocket\r\n", true, true},
        {1, "Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n", true, true},
        {1, "Upgrade: websocket\r\n", true, false},
        {1, "Connection: upgrade\r\n", true, false},
        {0, "Connection: upgrade\r\nUpgrade: websocket\r\n", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http1_head head;
        assert_int_equal(parse_request(*state, cases[i].minor, cases[i].fields, &head), HTTP1_OK);
        if (head.is_keep_alive != cases[i].is_keep_alive ||
            head.has_upgrade != cases[i].has_upgrade)
            fail_msg("HTTP/1.%d, %s: keep-alive %d, upgrade %d", cases[i].minor, cases[i].fields,
                     head.is_keep_alive, head.has_upgrade);
    }
}

static void a_continuation_is_expected_only_of_http_1_1(void **state)
{
    struct http1_head head;
    assert_int_equal(parse_request(*state, 1, "Expect: 100-Continue\r\n", &head), HTTP1_OK);
    assert_true(head.is_expecting_100);
    assert_int_equal(parse_request(*state, 0, "Expect: 100-continue\r\n", &head), HTTP1_OK);
    assert_false(head.is_expecting_100);
    assert_int_equal(parse_request(*state, 1, "Expect: 200-ok\r\n", &head), HTTP1_OK);
    assert_false(head.is_expecting_100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_bodies_are_framed_by_one_clear_field),
        TEST(doubtful_framing_is_refused_in_both_directions),
        TEST(response_bodies_are_framed_by_method_status_and_field),
        TEST(both_framing_fields_are_refused_even_where_no_body_can_be),
        TEST(connection_options_decide_keep_alive_and_upgrade),
        TEST(a_continuation_is_expected_only_of_http_1_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
