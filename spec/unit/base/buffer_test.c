/* SPDX-License-Identifier: Apache-2.0 */
/* buffer_test.c -- growth within bounds, consuming, moving to the front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"

static void content_survives_growth_and_consuming(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    size_t written = 0, read = 0;
    for (int round = 0; round < 5000; round++) {
        char byte = (char)written++;
        assert_true(buffer_append(&buffer, slice_make(&byte, 1), 100000));
        if (round % 3 == 0) {
            assert_int_equal(*buffer_head(&buffer), (char)read++);
            buffer_consume(&buffer, 1);
        }
    }
    assert_int_equal(buffer_len(&buffer), written - read);
    assert_int_equal(*buffer_head(&buffer), (char)read);
    buffer_clear(&buffer);
}

static void the_bound_is_kept_and_the_content_stays(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_true(buffer_append(&buffer, SLICE("12345678"), 10));
    assert_false(buffer_append(&buffer, SLICE("abc"), 10));
    assert_true(slice_eq(buffer_slice(&buffer), SLICE("12345678")));
    assert_true(buffer_append(&buffer, SLICE("ab"), 10));
    buffer_clear(&buffer);
}

static void room_in_front_is_used_before_memory_grows(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_true(buffer_reserve(&buffer, 1024, 1024));
    buffer.end = 1024;
    memset(buffer.data, 'x', 1024);
    buffer_consume(&buffer, 1000);
    const char *data = buffer.data;
    assert_true(buffer_reserve(&buffer, 500, 1024));
    assert_ptr_equal(buffer.data, data);
    assert_int_equal(buffer.start, 0);
    assert_int_equal(buffer_len(&buffer), 24);
    buffer_clear(&buffer);
}

static void an_empty_buffer_is_an_empty_slice(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_non_null(buffer_slice(&buffer).ptr);
    assert_int_equal(buffer_slice(&buffer).len, 0);
    assert_true(buffer_append(&buffer, SLICE(""), 0));
    buffer_clear(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_survives_growth_and_consuming),
        cmocka_unit_test(the_bound_is_kept_and_the_content_stays),
        cmocka_unit_test(room_in_front_is_used_before_memory_grows),
        cmocka_unit_test(an_empty_buffer_is_an_empty_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
