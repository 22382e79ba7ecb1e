/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer_test.c -- what is written is JSON whatever bytes come in: jansson reads it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json_writer.h"

static json_t *read_back(struct buffer *out)
{
    json_error_t error;
    json_t *value = json_loadb(out->data + out->start, buffer_len(out),
                               JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value == NULL)
        fail_msg("not JSON: %s: %.*s", error.text, (int)buffer_len(out), buffer_head(out));
    return value;
}

static void nesting_and_commas_are_right(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer to;
    json_writer_init(&to, &out, 1000);
    json_writer_begin(&to, '{');
    json_writer_key(&to, SLICE("a"));
    json_writer_begin(&to, '[');
    json_writer_integer(&to, -5);
    json_writer_boolean(&to, true);
    json_writer_begin(&to, '{');
    json_writer_end(&to, '}');
    json_writer_end(&to, ']');
    json_writer_key_lower(&to, SLICE("X-Y"));
    json_writer_string(&to, SLICE("z"));
    json_writer_end(&to, '}');
    assert_true(json_writer_finish(&to));
    assert_true(slice_eq(buffer_slice(&out), SLICE("{\"a\":[-5,true,{}],\"x-y\":\"z\"}")));
    buffer_clear(&out);
}

static void every_byte_pair_gives_valid_json(void **state)
{
    (void)state;
    struct buffer out = {0};
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        /* alone, and in the middle of a text long enough for the eight-byte steps */
        char text[20] = "ee0123456789abcdefe";
        text[pair % 2 == 0 ? 0 : 9] = (char)(pair >> 8);
        text[pair % 2 == 0 ? 1 : 10] = (char)pair;
        struct json_writer to;
        json_writer_init(&to, &out, 200);
        json_writer_string(&to, slice_make(text, pair % 2 == 0 ? 3 : 19));
        assert_true(json_writer_finish(&to));
        json_t *value = read_back(&out);
        assert_true(json_is_string(value));
        json_decref(value);
        buffer_consume(&out, buffer_len(&out));
    }
    buffer_clear(&out);
}

static void valid_utf8_is_kept_and_the_rest_is_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},            /* overlong */
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* surrogate */
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"a\"b\\c\n\r\t\x01", "\"a\\\"b\\\\c\\n\\r\\t\\u0001\""},
    };
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_writer to;
        json_writer_init(&to, &out, 100);
        json_writer_string(&to, slice_of(cases[i].in));
        assert_true(json_writer_finish(&to));
        assert_true(slice_eq(buffer_slice(&out), slice_of(cases[i].out)));
        buffer_consume(&out, buffer_len(&out));
    }
    buffer_clear(&out);
}

static void the_smallest_integer_is_written(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer to;
    json_writer_init(&to, &out, 100);
    json_writer_integer(&to, INT64_MIN);
    assert_true(json_writer_finish(&to));
    assert_true(slice_eq(buffer_slice(&out), SLICE("-9223372036854775808")));
    buffer_clear(&out);
}

static void a_full_buffer_is_a_failure_that_stays(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer to;
    json_writer_init(&to, &out, 4);
    json_writer_string(&to, SLICE("too long"));
    json_writer_integer(&to, 1);
    assert_false(json_writer_finish(&to));
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_and_commas_are_right),
        cmocka_unit_test(every_byte_pair_gives_valid_json),
        cmocka_unit_test(valid_utf8_is_kept_and_the_rest_is_replaced),
        cmocka_unit_test(the_smallest_integer_is_written),
        cmocka_unit_test(a_full_buffer_is_a_failure_that_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
