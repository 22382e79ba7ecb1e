/* SPDX-License-Identifier: Apache-2.0 */
/* http1_chunked_test.c -- the chunked coding, whole and in pieces, good and bad. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/http1_chunked.h"

enum { BODY_BYTES = 256 };

struct decoded {
    enum http1_chunk_result result;
    size_t used; /* bytes of the wire */
    size_t body_len;
    char body[BODY_BYTES];
};

/* Feeds the wire in pieces of `step` bytes, each in memory of exactly its size. */
static struct decoded decode(struct slice wire, size_t step)
{
    struct decoded out = {.result = HTTP1_CHUNK_MORE};
    struct http1_chunked decoder = {0};
    while (out.used < wire.len) {
        size_t len = wire.len - out.used < step ? wire.len - out.used : step, at = 0;
        char *piece = malloc(len);
        assert_non_null(piece);
        memcpy(piece, wire.ptr + out.used, len);
        do {
            size_t consumed = 0;
            struct slice data = {NULL, 0};
            out.result =
                http1_chunked_decode(&decoder, slice_make(piece + at, len - at), &consumed, &data);
            assert_true(consumed <= len - at);
            if (out.result == HTTP1_CHUNK_DATA) {
                assert_true(data.len > 0 && out.body_len + data.len < BODY_BYTES);
                memcpy(out.body + out.body_len, data.ptr, data.len);
                out.body_len += data.len;
            }
            at += consumed;
        } while (out.result == HTTP1_CHUNK_DATA && at < len);
        free(piece);
        out.used += at;
        if (out.result == HTTP1_CHUNK_DONE || out.result == HTTP1_CHUNK_BAD)
            break;
        assert_int_equal(at, len);
    }
    return out;
}

static void any_split_gives_the_same_body(void **state)
{
    (void)state;
    struct slice wire = SLICE("5;n=v\r\nhello\r\n1 \t; a=\"b\"\r\n!\r\n00\r\nX: y\r\nZ:\r\n\r\n");
    for (size_t step = 1; step <= wire.len; step++) {
        struct decoded out = decode(wire, step);
        assert_int_equal(out.result, HTTP1_CHUNK_DONE);
        assert_int_equal(out.used, wire.len);
        assert_string_equal(out.body, "hello!");
    }
}

static void bytes_behind_the_end_are_left_alone(void **state)
{
    (void)state;
    struct decoded out = decode(SLICE("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), 100);
    assert_int_equal(out.result, HTTP1_CHUNK_DONE);
    assert_int_equal(out.used, 11);
    assert_string_equal(out.body, "a");
}

static void every_front_of_a_good_body_waits_for_more(void **state)
{
    (void)state;
    struct slice wire = SLICE("3;x\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n");
    for (size_t len = 1; len < wire.len; len++) {
        struct decoded out = decode(slice_make(wire.ptr, len), len);
        assert_true(out.result == HTTP1_CHUNK_MORE || out.result == HTTP1_CHUNK_DATA);
    }
}

static void an_ended_decoder_takes_nothing_more(void **state)
{
    (void)state;
    struct http1_chunked decoder = {0};
    struct slice data;
    size_t consumed = 9;
    assert_int_equal(http1_chunked_decode(&decoder, SLICE("0\r\n\r\n"), &consumed, &data),
                     HTTP1_CHUNK_DONE);
    assert_int_equal(http1_chunked_decode(&decoder, SLICE("1\r\na"), &consumed, &data),
                     HTTP1_CHUNK_DONE);
    assert_int_equal(consumed, 0);
}

static void a_bad_body_stays_bad(void **state)
{
    (void)state;
    struct http1_chunked decoder = {0};
    struct slice data;
    size_t consumed;
    assert_int_equal(http1_chunked_decode(&decoder, SLICE("x"), &consumed, &data), HTTP1_CHUNK_BAD);
    assert_int_equal(http1_chunked_decode(&decoder, SLICE("0\r\n\r\n"), &consumed, &data),
                     HTTP1_CHUNK_BAD);
    assert_int_equal(http1_chunked_decode(&decoder, SLICE(""), &consumed, &data), HTTP1_CHUNK_BAD);
}

static void doubtful_framing_is_refused_in_every_split(void **state)
{
    (void)state;
    const struct slice bad[] = {
        SLICE("\r\n"),                    /* no size */
        SLICE(" 1\r\na\r\n"),             /* blank before the size */
        SLICE("g\r\n"),                   /* no digit */
        SLICE("-1\r\n"),                  /* sign */
        SLICE("+1\r\na\r\n"),             /* sign */
        SLICE("0x1\r\na\r\n"),            /* prefix */
        SLICE("1_0\r\n"),                 /* separator */
        SLICE(";x\r\n"),                  /* extension without size */
        SLICE("1\na\r\n"),                /* bare LF behind the size */
        SLICE("1\ra"),                    /* bare CR behind the size */
        SLICE("1 \r\na\r\n"),             /* blank without extension */
        SLICE("1 1\r\na\r\n"),            /* blank inside the size */
        SLICE("1;x\na\r\n"),              /* bare LF in an extension */
        SLICE("1;x\ry\r\na\r\n"),         /* bare CR in an extension */
        SLICE("1;x\0\r\na\r\n"),          /* NUL in an extension */
        SLICE("1;x\x7f\r\na\r\n"),        /* control byte in an extension */
        SLICE("1\r\nab\r\n"),             /* chunk longer than its size */
        SLICE("1\r\na\n"),                /* bare LF behind the data */
        SLICE("1\r\na\rb"),               /* bare CR behind the data */
        SLICE("2\r\na\r\n0\r\n\r\nxxxx"), /* chunk shorter than its size */
        SLICE("0\r\n\n"),                 /* bare LF at the end */
        SLICE("0\r\n\rx"),                /* bare CR at the end */
        SLICE("0\r\nGET / HTTP/1.1\r\n"), /* no empty line */
        SLICE("0\r\nA: b\nC: d\r\n"),     /* bare LF in a trailer */
        SLICE("0\r\nA: b\rC\r\n"),        /* bare CR in a trailer */
        SLICE("0\r\nA: b\0\r\n"),         /* NUL in a trailer */
        SLICE("0\r\nA : b\r\n"),          /* blank before the colon */
        SLICE("0\r\n b\r\n"),             /* folded trailer */
        SLICE("0\r\nA: b\r\n c\r\n"),     /* folded trailer */
        SLICE("0\r\n: b\r\n"),            /* no name */
        SLICE("0\r\nA\r\n"),              /* no colon */
        SLICE("1000000000000000\r\n"),    /* 2^60 */
        SLICE("ffffffffffffffff\r\n"),    /* 2^64 - 1 */
        SLICE("10000000000000000\r\n"),   /* 2^64 */
        SLICE("0000000000000001\r\na"),   /* 16 digits */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (size_t step = 1; step <= bad[i].len; step++)
            if (decode(bad[i], step).result != HTTP1_CHUNK_BAD)
                fail_msg("accepted in pieces of %zu: '%.*s'", step, SLICE_ARG(bad[i]));
}

static void only_digits_are_taken_as_the_first_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char wire[] = {(char)c};
        bool is_digit = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;
        assert_int_equal(decode(slice_make(wire, 1), 1).result,
                         is_digit ? HTTP1_CHUNK_MORE : HTTP1_CHUNK_BAD);
    }
}

static void the_largest_size_is_taken_whole(void **state)
{
    (void)state;
    struct http1_chunked decoder = {0};
    size_t consumed;
    struct slice data;
    assert_int_equal(
        http1_chunked_decode(&decoder, SLICE("FFFFFFFFFFFFFFF\r\nab"), &consumed, &data),
        HTTP1_CHUNK_DATA);
    assert_int_equal(consumed, 19);
    assert_true(slice_eq(data, SLICE("ab")));
    assert_true(decoder.left == (UINT64_C(1) << 60) - 3);
}

/* How many bytes of `pattern`, repeated behind `opening`, are taken before they are refused. */
static size_t bytes_until_bad(struct slice opening, struct slice pattern)
{
    struct http1_chunked decoder = {0};
    struct slice data;
    size_t consumed, total = 0;
    assert_int_equal(http1_chunked_decode(&decoder, opening, &consumed, &data), HTTP1_CHUNK_MORE);
    for (int i = 0; i < 100000; i++) {
        enum http1_chunk_result result = http1_chunked_decode(&decoder, pattern, &consumed, &data);
        total += consumed;
        if (result == HTTP1_CHUNK_BAD)
            return total;
    }
    fail_msg("never refused");
    return 0;
}

static void extensions_and_trailers_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(bytes_until_bad(SLICE("1;"), SLICE("x")), HTTP1_MAX_CHUNK_LINE - 2);
    assert_int_equal(bytes_until_bad(SLICE("1 "), SLICE(" ")), HTTP1_MAX_CHUNK_LINE - 2);
    assert_int_equal(bytes_until_bad(SLICE("0\r\n"), SLICE("x")), HTTP1_MAX_TRAILERS);
    assert_int_equal(bytes_until_bad(SLICE("0\r\n"), SLICE("a: b\r\n")), HTTP1_MAX_TRAILERS);
}

static void the_bound_of_a_size_line_starts_anew_with_each_chunk(void **state)
{
    (void)state;
    struct http1_chunked decoder = {0};
    for (int i = 0; i < 2 * HTTP1_MAX_CHUNK_LINE; i++) {
        size_t consumed;
        struct slice data, chunk = SLICE("1\r\na\r\n");
        assert_int_equal(http1_chunked_decode(&decoder, chunk, &consumed, &data), HTTP1_CHUNK_DATA);
        chunk = slice_from(chunk, consumed);
        assert_int_equal(http1_chunked_decode(&decoder, chunk, &consumed, &data), HTTP1_CHUNK_MORE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_split_gives_the_same_body),
        cmocka_unit_test(bytes_behind_the_end_are_left_alone),
        cmocka_unit_test(every_front_of_a_good_body_waits_for_more),
        cmocka_unit_test(an_ended_decoder_takes_nothing_more),
        cmocka_unit_test(a_bad_body_stays_bad),
        cmocka_unit_test(doubtful_framing_is_refused_in_every_split),
        cmocka_unit_test(only_digits_are_taken_as_the_first_byte),
        cmocka_unit_test(the_largest_size_is_taken_whole),
        cmocka_unit_test(extensions_and_trailers_are_bounded),
        cmocka_unit_test(the_bound_of_a_size_line_starts_anew_with_each_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
