/* SPDX-License-Identifier: Apache-2.0 */
/* inbuf_test.c -- what stays where in a receive block, and that blocks are used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/inbuf.h"

static struct inbuf filled(struct block_pool *pool, uint32_t floor, uint32_t start, uint32_t end)
{
    struct inbuf in = {0};
    assert_true(inbuf_prepare(&in, pool));
    for (uint32_t i = 0; i < INBUF_BYTES; i++)
        in.data[i] = (char)(i % 251);
    in.floor = floor;
    in.start = start;
    in.end = end;
    return in;
}

static void done(struct inbuf *in, struct block_pool *pool)
{
    inbuf_release(in, pool);
    block_pool_clear(pool);
}

static void a_released_block_is_used_again(void **state)
{
    (void)state;
    struct block_pool pool = {0};
    struct inbuf in = {0};
    assert_true(inbuf_prepare(&in, &pool));
    const char *block = in.data;
    inbuf_release(&in, &pool);
    assert_null(in.data);
    assert_int_equal(pool.count, 1);
    assert_true(inbuf_prepare(&in, &pool));
    assert_ptr_equal(in.data, block);
    assert_int_equal(pool.count, 0);
    done(&in, &pool);
}

static void what_is_held_below_the_floor_never_moves(void **state)
{
    (void)state;
    struct block_pool pool = {0};
    struct inbuf in = filled(&pool, 100, 65000, INBUF_BYTES);
    inbuf_compact(&in);
    assert_int_equal(in.floor, 100);
    assert_int_equal(in.start, 100);
    assert_int_equal(inbuf_len(&in), INBUF_BYTES - 65000);
    assert_int_equal((unsigned char)in.data[99], 99);
    assert_int_equal((unsigned char)in.data[100], 65000 % 251);
    in.start = in.end; /* nothing is left: the room behind the floor is free */
    inbuf_compact(&in);
    assert_int_equal(in.start, 100);
    assert_int_equal(inbuf_room(&in), INBUF_BYTES - 100);
    done(&in, &pool);
}

static void bytes_stay_where_they_are_while_there_is_room_behind_them(void **state)
{
    (void)state;
    struct block_pool pool = {0};
    struct inbuf in = filled(&pool, 0, 40000, 50000);
    inbuf_compact(&in);
    assert_int_equal(in.start, 40000);
    done(&in, &pool);
}

static void the_next_message_begins_in_the_first_quarter(void **state)
{
    (void)state;
    struct block_pool pool = {0};
    struct inbuf in = filled(&pool, 0, INBUF_FAR_BYTES - 1, INBUF_BYTES);
    inbuf_make_room(&in);
    assert_int_equal(in.start, INBUF_FAR_BYTES - 1);
    in.start = INBUF_FAR_BYTES;
    inbuf_make_room(&in);
    assert_int_equal(in.start, 0);
    assert_int_equal(inbuf_len(&in), INBUF_BYTES - INBUF_FAR_BYTES);
    assert_int_equal((unsigned char)in.data[0], INBUF_FAR_BYTES % 251);
    done(&in, &pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_released_block_is_used_again),
        cmocka_unit_test(what_is_held_below_the_floor_never_moves),
        cmocka_unit_test(bytes_stay_where_they_are_while_there_is_room_behind_them),
        cmocka_unit_test(the_next_message_begins_in_the_first_quarter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
