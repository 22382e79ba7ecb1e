/* SPDX-License-Identifier: Apache-2.0 */
/* arena_test.c -- lifetimes and alignment of arena memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    char *former = NULL;
    size_t former_bytes = 0;
    for (size_t bytes = 1; bytes < 600; bytes += 7) {
        char *now = arena_alloc(&arena, bytes);
        assert_non_null(now);
        assert_int_equal((uintptr_t)now % 16, 0);
        if (former != NULL)
            assert_true(now >= former + former_bytes || now + bytes <= former);
        memset(now, 0x5a, bytes);
        former = now;
        former_bytes = bytes;
    }
    arena_clear(&arena);
}

static void a_large_allocation_leaves_the_current_block_in_use(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    char *first = arena_alloc(&arena, 16);
    assert_non_null(arena_alloc(&arena, 3 * ARENA_BLOCK_BYTES));
    char *second = arena_alloc(&arena, 16);
    assert_ptr_equal(second, first + 16);
    arena_clear(&arena);
}

static void note(void *arg)
{
    char **at = arg;
    *(*at)++ = 'x';
}

static void note_last(void *arg)
{
    char **at = arg;
    *(*at)++ = 'z';
}

static void cleanups_run_last_in_first_out(void **state)
{
    (void)state;
    char order[3] = "", *at = order;
    struct arena arena;
    arena_init(&arena, NULL);
    assert_true(arena_on_clear(&arena, note, &at));
    assert_true(arena_on_clear(&arena, note_last, &at));
    arena_clear(&arena);
    assert_string_equal(order, "zx");
}

static void a_pool_keeps_blocks_for_the_next_arena(void **state)
{
    (void)state;
    struct arena_pool pool = {0};
    struct arena arena;
    arena_init(&arena, &pool);
    void *first = arena_alloc(&arena, 100);
    arena_clear(&arena);
    assert_int_equal(pool.count, 1);
    assert_ptr_equal(arena_alloc(&arena, 100), first);
    arena_clear(&arena);
    arena_pool_clear(&pool);
    assert_int_equal(pool.count, 0);
}

static void copies_and_formats_end_with_a_nul(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    struct slice copy = arena_copy(&arena, SLICE("text"));
    struct slice made = arena_printf(&arena, "%d-%s", 7, "x");
    assert_string_equal(copy.ptr, "text");
    assert_string_equal(made.ptr, "7-x");
    assert_int_equal(made.len, 3);
    arena_clear(&arena);
}

static void a_size_that_overflows_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    assert_null(arena_alloc(&arena, SIZE_MAX - 4));
    assert_null(arena_copy(&arena, slice_make("", SIZE_MAX)).ptr);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_large_allocation_leaves_the_current_block_in_use),
        cmocka_unit_test(cleanups_run_last_in_first_out),
        cmocka_unit_test(a_pool_keeps_blocks_for_the_next_arena),
        cmocka_unit_test(copies_and_formats_end_with_a_nul),
        cmocka_unit_test(a_size_that_overflows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
