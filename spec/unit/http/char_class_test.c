/* SPDX-License-Identifier: Apache-2.0 */
/* char_class_test.c -- the table against the grammars, spelled out byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "http/char_class.h"

#define ALNUM "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void expect_exactly(enum char_class wanted, const char *bytes)
{
    for (int c = 0; c < 256; c++) {
        bool is_listed = c != 0 && strchr(bytes, c) != NULL;
        if (char_class_is((char)c, wanted) != is_listed)
            fail_msg("byte 0x%02x: class 0x%x is wrong", (unsigned)c, (unsigned)wanted);
    }
}

static void classes_of_names_hold_exactly_their_grammar(void **state)
{
    (void)state;
    expect_exactly(CHAR_TOKEN, ALNUM "!#$%&'*+-.^_`|~");
    expect_exactly(CHAR_HOST, ALNUM "-._~!$&'()*+;=");
    expect_exactly(CHAR_RESERVED, "!*'();:@&=+$,/?%#[]");
    expect_exactly(CHAR_WIRE, ALNUM "!#$&'()*+,/:;=?@[]-_.~%");
    expect_exactly(CHAR_HEX, "0123456789abcdefABCDEF");
}

static void ranges_hold_exactly_their_bytes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        assert_int_equal(char_class_is((char)c, CHAR_VALUE), c == '\t' || (c >= 32 && c != 127));
        assert_int_equal(char_class_is((char)c, CHAR_TARGET), c > 32 && c < 127 && c != '#');
        assert_int_equal(char_class_is((char)c, CHAR_PLAIN), c != 0 && c != '/' && c != '%');
    }
}

static void a_hexadecimal_digit_has_its_value(void **state)
{
    (void)state;
    const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++)
        assert_int_equal(char_class_hex(digits[i]), i);
    assert_int_equal(char_class_hex('A'), 10);
    assert_int_equal(char_class_hex('F'), 15);
    assert_int_equal(char_class_hex('g'), -1);
    assert_int_equal(char_class_hex('\0'), -1);
}

static void skipping_stops_at_the_first_other_byte(void **state)
{
    (void)state;
    const char text[] = "GET /";
    assert_ptr_equal(char_class_skip(text, CHAR_TOKEN), text + 3);
    assert_true(char_class_all(SLICE("GET"), CHAR_TOKEN));
    assert_false(char_class_all(SLICE("GET "), CHAR_TOKEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_of_names_hold_exactly_their_grammar),
        cmocka_unit_test(ranges_hold_exactly_their_bytes),
        cmocka_unit_test(a_hexadecimal_digit_has_its_value),
        cmocka_unit_test(skipping_stops_at_the_first_other_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
