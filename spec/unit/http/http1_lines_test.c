/* SPDX-License-Identifier: Apache-2.0 */
/* http1_lines_test.c -- field lines and the limits of a head. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "http/http1_lines.h"

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

/* Field lines, empty line included, in memory of exactly their size. Fields stay valid until the
 * next call. */
static enum http1_result read_fields(struct arena *arena, struct slice wire,
                                     struct http_headers *headers, struct slice *error)
{
    arena_clear(arena);
    struct slice copy = arena_copy(arena, wire); /* its NUL is one byte more than the parser gets */
    assert_non_null(copy.ptr);
    const char *at = copy.ptr;
    *headers = (struct http_headers){0};
    *error = slice_of(NULL);
    enum http1_result result = http1_lines_fields(&at, copy.ptr + copy.len, arena, headers, error);
    if (result == HTTP1_OK)
        assert_ptr_equal(at, copy.ptr + copy.len);
    else
        assert_true(error->len > 0);
    return result;
}

static void values_lose_the_blanks_around_them_and_keep_those_inside(void **state)
{
    const struct {
        struct slice line;
        const char *value;
    } cases[] = {
        {SLICE("A:b"), "b"},
        {SLICE("A: b"), "b"},
        {SLICE("A:\t \tb\t \t"), "b"},
        {SLICE("A: b  c\td "), "b  c\td"},
        {SLICE("A:"), ""},
        {SLICE("A: \t "), ""},
        {SLICE("A: :b:"), ":b:"},
        {SLICE("A: \xff\x80\xc3\xa4"), "\xff\x80\xc3\xa4"},
        {SLICE("A: 0123456789\t0123456789 0123456789\t01"),
         "0123456789\t0123456789 0123456789\t01"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wire[128];
        struct http_headers headers;
        struct slice error;
        memcpy(wire, cases[i].line.ptr, cases[i].line.len);
        memcpy(wire + cases[i].line.len, "\r\n\r\n", 4);
        assert_int_equal(
            read_fields(*state, slice_make(wire, cases[i].line.len + 4), &headers, &error),
            HTTP1_OK);
        assert_int_equal(headers.count, 1);
        assert_true(slice_eq(headers.fields[0].name, SLICE("A")));
        assert_true(slice_eq(headers.fields[0].value, slice_of(cases[i].value)));
    }
}

static void malformed_lines_are_refused(void **state)
{
    const struct slice lines[] = {
        SLICE("A : b"),
        SLICE("A\t: b"),
        SLICE(" A: b"),
        SLICE("\tA: b"),
        SLICE("A: b\r\n c"),
        SLICE("A: b\r\n\tc"),
        SLICE("A: b\r\n "),
        SLICE(": b"),
        SLICE("A"),
        SLICE("A b"),
        SLICE("A b: c"),
        SLICE("A: b\nC: d"),
        SLICE("A: b\rC: d"),
        SLICE("A: b\r"),
        SLICE("A: b\r\rC: d"),
        SLICE("A\0: b"),
        SLICE("A: \0"),
        SLICE("A: b\x7f"),
        SLICE("A: b\x1b[0m"),
        SLICE("\xc3\xa4: b"),
        SLICE("A(: b"),
        SLICE("\"A\": b"),
        SLICE("A: b\r\n: c"),
        SLICE("\n"),
        SLICE("A: \n b"),
        SLICE("A:\r b"),
        SLICE("A: 0123456\x01"),
        SLICE("A: 012345\x08"
              "7"),
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char wire[128];
        struct http_headers headers;
        struct slice error;
        memcpy(wire, lines[i].ptr, lines[i].len);
        memcpy(wire + lines[i].len, "\r\n\r\n", 4);
        if (read_fields(*state, slice_make(wire, lines[i].len + 4), &headers, &error) != HTTP1_BAD)
            fail_msg("accepted: '%.*s'", SLICE_ARG(lines[i]));
    }
}

static void every_byte_is_judged_in_a_name(void **state)
{
    for (int c = 0; c < 256; c++) {
        char wire[] = "Nxme: value\r\n\r\n";
        struct http_headers headers;
        struct slice error;
        wire[1] = (char)c;
        bool is_good = c == ':' || (c > 32 && c < 127 && strchr("\"(),/;<=>?@[\\]{}", c) == NULL);
        assert_int_equal(read_fields(*state, slice_make(wire, sizeof(wire) - 1), &headers, &error),
                         is_good ? HTTP1_OK : HTTP1_BAD);
    }
}

/* A value is scanned eight bytes a step: the byte must be seen at each place of the word. */
static void every_byte_is_judged_at_every_place_of_a_value(void **state)
{
    for (size_t at = 0; at < 20; at++) {
        for (int c = 0; c < 256; c++) {
            char wire[] = "A: 0123456789\xff"
                          "bcdefghij\r\n\r\n";
            struct http_headers headers;
            struct slice error;
            wire[3 + at] = (char)c;
            bool is_good = c == '\t' || (c >= 32 && c != 127);
            assert_int_equal(
                read_fields(*state, slice_make(wire, sizeof(wire) - 1), &headers, &error),
                is_good ? HTTP1_OK : HTTP1_BAD);
            if (is_good && c > 32)
                assert_int_equal(headers.fields[0].value.len, 20);
        }
    }
}

static void fields_that_decide_framing_or_authority_come_once(void **state)
{
    const struct slice twice[] = {
        SLICE("Host: a\r\nHost: a\r\n\r\n"),
        SLICE("Content-Length: 1\r\ncontent-length: 1\r\n\r\n"),
        SLICE("Transfer-Encoding: chunked\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n"),
    };
    struct http_headers headers;
    struct slice error;
    for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++)
        assert_int_equal(read_fields(*state, twice[i], &headers, &error), HTTP1_BAD);
    assert_int_equal(read_fields(*state, SLICE("Cookie: a\r\nCookie: a\r\n\r\n"), &headers, &error),
                     HTTP1_OK);
    assert_int_equal(headers.count, 2);
}

static void more_fields_than_the_limit_are_refused(void **state)
{
    char wire[8 * (HTTP1_MAX_FIELDS + 1) + 2];
    struct http_headers headers;
    struct slice error;
    for (size_t count = HTTP1_MAX_FIELDS; count <= HTTP1_MAX_FIELDS + 1; count++) {
        for (size_t i = 0; i < count; i++)
            memcpy(wire + 8 * i, "A: bcd\r\n", 8);
        memcpy(wire + 8 * count, "\r\n", 2);
        assert_int_equal(read_fields(*state, slice_make(wire, 8 * count + 2), &headers, &error),
                         count <= HTTP1_MAX_FIELDS ? HTTP1_OK : HTTP1_HEAD_TOO_LARGE);
    }
}

static void finding_leaves_what_follows_the_head(void **state)
{
    (void)state;
    struct http1_scan scan = {0};
    struct slice lines, error, bytes = SLICE("\r\nA\r\nB\r\n\r\nC\r\n\r\nD");
    assert_int_equal(http1_lines_find(bytes, &scan, 2, &lines, &error), HTTP1_OK);
    assert_true(slice_eq(lines, SLICE("A\r\nB\r\n\r\n")));
}

static void what_was_searched_is_not_searched_again(void **state)
{
    (void)state;
    struct http1_scan scan = {0};
    struct slice lines, error;
    char bytes[] = "A\r\nB: c\r\nD";
    struct slice front = slice_make(bytes, sizeof(bytes) - 1);
    assert_int_equal(http1_lines_find(front, &scan, 2, &lines, &error), HTTP1_INCOMPLETE);
    assert_true(scan.has_line);
    assert_int_equal(scan.searched, front.len);
    bytes[1] = 'x'; /* a bare LF now, where nobody looks any more */
    assert_int_equal(http1_lines_find(front, &scan, 2, &lines, &error), HTTP1_INCOMPLETE);
}

/* A request with a target of `target_len` bytes and a field that makes the head `head_len` bytes.
 */
static struct slice big_request(struct arena *arena, size_t target_len, size_t head_len,
                                bool is_cut)
{
    char *wire = arena_alloc(arena, head_len);
    assert_non_null(wire);
    memset(wire, 'x', head_len);
    memcpy(wire, "GET /", 5);
    size_t at = 4 + target_len;
    const char rest[] = " HTTP/1.1\r\nHost: a\r\nX: ";
    memcpy(wire + at, rest, sizeof(rest) - 1);
    memcpy(wire + head_len - 4, "\r\n\r\n", 4);
    return slice_make(wire, head_len - (is_cut ? 1 : 0));
}

static enum http1_result parse_big(struct arena *arena, size_t target_len, size_t head_len,
                                   bool is_cut)
{
    struct http1_scan scan = {0};
    struct http1_head head;
    size_t consumed;
    return http1_parse_request(big_request(arena, target_len, head_len, is_cut), &scan, arena,
                               &head, &consumed);
}

static void heads_up_to_the_limits_pass_and_one_byte_more_does_not(void **state)
{
    const size_t target = HTTP1_MAX_LINE - 13; /* "GET  HTTP/1.1" */
    assert_int_equal(parse_big(*state, target, HTTP1_MAX_LINE + 100, false), HTTP1_OK);
    assert_int_equal(parse_big(*state, target, HTTP1_MAX_LINE + 100, true), HTTP1_INCOMPLETE);
    assert_int_equal(parse_big(*state, target + 1, HTTP1_MAX_LINE + 100, false),
                     HTTP1_LINE_TOO_LONG);
    assert_int_equal(parse_big(*state, target + 1, HTTP1_MAX_LINE + 100, true),
                     HTTP1_LINE_TOO_LONG);
    assert_int_equal(parse_big(*state, 1, HTTP1_MAX_HEAD, false), HTTP1_OK);
    assert_int_equal(parse_big(*state, 1, HTTP1_MAX_HEAD, true), HTTP1_INCOMPLETE);
    assert_int_equal(parse_big(*state, 1, HTTP1_MAX_HEAD + 1, false), HTTP1_HEAD_TOO_LARGE);
    assert_int_equal(parse_big(*state, 1, HTTP1_MAX_HEAD + 1, true), HTTP1_HEAD_TOO_LARGE);
}

static void an_endless_line_is_refused_at_the_limit(void **state)
{
    struct arena *arena = *state;
    char *wire = arena_alloc(arena, HTTP1_MAX_HEAD);
    assert_non_null(wire);
    memset(wire, 'x', HTTP1_MAX_HEAD);
    memcpy(wire, "HTTP/1.1 200 ", 13);
    struct http1_head head;
    size_t consumed;
    for (size_t len = HTTP1_MAX_LINE + 1; len <= HTTP1_MAX_LINE + 2; len++) {
        struct http1_scan scan = {0};
        bool is_over = len > HTTP1_MAX_LINE + 1; /* the last byte may be the CR */
        assert_int_equal(http1_parse_request(slice_make(wire, len), &scan, arena, &head, &consumed),
                         is_over ? HTTP1_LINE_TOO_LONG : HTTP1_INCOMPLETE);
        scan = (struct http1_scan){0};
        assert_int_equal(http1_parse_response(slice_make(wire, len), &scan, SLICE("GET"), arena,
                                              &head, &consumed),
                         is_over ? HTTP1_HEAD_TOO_LARGE : HTTP1_INCOMPLETE);
    }
}

static void a_large_body_behind_a_small_head_does_no_harm(void **state)
{
    struct arena *arena = *state;
    const size_t len = 4 * HTTP1_MAX_HEAD;
    char *wire = arena_alloc(arena, len);
    assert_non_null(wire);
    memset(wire, '\n', len);
    const char text[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    memcpy(wire, text, sizeof(text) - 1);
    memcpy(wire + len - 4, "\r\n\r\n", 4);
    struct http1_scan scan = {0};
    struct http1_head head;
    size_t consumed;
    assert_int_equal(http1_parse_request(slice_make(wire, len), &scan, arena, &head, &consumed),
                     HTTP1_OK);
    assert_int_equal(consumed, sizeof(text) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_lose_the_blanks_around_them_and_keep_those_inside),
        TEST(malformed_lines_are_refused),
        TEST(every_byte_is_judged_in_a_name),
        TEST(every_byte_is_judged_at_every_place_of_a_value),
        TEST(fields_that_decide_framing_or_authority_come_once),
        TEST(more_fields_than_the_limit_are_refused),
        TEST(finding_leaves_what_follows_the_head),
        TEST(what_was_searched_is_not_searched_again),
        TEST(heads_up_to_the_limits_pass_and_one_byte_more_does_not),
        TEST(an_endless_line_is_refused_at_the_limit),
        TEST(a_large_body_behind_a_small_head_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
