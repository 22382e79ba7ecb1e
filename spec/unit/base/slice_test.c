/* SPDX-License-Identifier: Apache-2.0 */
/* slice_test.c -- slices: comparing, cutting, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"

static void comparison_without_case_is_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(slice_eq_nocase(SLICE("Content-Type"), SLICE("cONTENT-tYPE")));
    assert_false(slice_eq_nocase(SLICE("a@"), SLICE("a`")));
    assert_false(slice_eq_nocase(SLICE("ab"), SLICE("abc")));
    assert_false(slice_eq_nocase(SLICE("\xc4"), SLICE("\xe4")));
}

static void split_gives_every_part_even_empty_ones(void **state)
{
    (void)state;
    static const char *const expected[] = {"a", "", "b", ""};
    struct slice rest = SLICE("a,,b,"), part;
    size_t count = 0;
    while (slice_split(&rest, ',', &part)) {
        assert_true(count < 4);
        assert_true(slice_eq(part, slice_of(expected[count])));
        count++;
    }
    assert_int_equal(count, 4);
}

static void numbers_are_digits_only_and_fit(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616"};
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(slice_to_u64(slice_of(bad[i]), &value));
    assert_int_equal(value, 7);
    assert_true(slice_to_u64(SLICE("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
}

static void trim_takes_spaces_and_tabs_off_both_ends(void **state)
{
    (void)state;
    assert_true(slice_eq(slice_trim(SLICE(" \t a b\t")), SLICE("a b")));
    assert_int_equal(slice_trim(SLICE(" \t")).len, 0);
    assert_true(slice_eq(slice_trim(SLICE("\na\r")), SLICE("\na\r")));
}

static void a_duplicate_is_a_c_string(void **state)
{
    (void)state;
    char *copy = slice_dup(slice_make("abc", 2));
    assert_string_equal(copy, "ab");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_without_case_is_for_ascii_letters_only),
        cmocka_unit_test(split_gives_every_part_even_empty_ones),
        cmocka_unit_test(numbers_are_digits_only_and_fit),
        cmocka_unit_test(trim_takes_spaces_and_tabs_off_both_ends),
        cmocka_unit_test(a_duplicate_is_a_c_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
