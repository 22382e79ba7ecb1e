/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h -- memory that ends all at once, with its owner (one request, one entity, one snapshot).
 *
 * Bump allocation in blocks; nothing is freed alone. Cleanups run last-in first-out before the
 * blocks go. Not thread-safe: one owner at a time. Freed memory is poisoned under ASan. */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena_block;
struct arena_cleanup;

/* Spare blocks that the arenas of one thread share, so that a request costs no malloc. */
struct arena_pool {
    struct arena_block *free;
    unsigned count;
};

struct arena {
    char *ptr;
    char *end;
    struct arena_block *blocks;
    struct arena_cleanup *cleanups;
    struct arena_pool *pool;
};

enum {
    ARENA_FIRST_BYTES = 512,  /* first block of an arena without a pool; later ones double */
    ARENA_BLOCK_BYTES = 4096, /* of a pooled block, header included */
    ARENA_POOL_BLOCKS = 1024, /* spare blocks kept by a pool at most */
};

/* `pool` may be NULL (blocks then come from malloc); it must outlive the arena. */
void arena_init(struct arena *arena, struct arena_pool *pool);
/* Runs the cleanups and frees everything. The arena may be used again. */
void arena_clear(struct arena *arena);
void arena_pool_clear(struct arena_pool *pool);

/* 16-byte aligned, not zeroed; NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t bytes) __attribute__((warn_unused_result, malloc));
/* Zeroed. */
void *arena_calloc(struct arena *arena, size_t bytes) __attribute__((warn_unused_result, malloc));
/* Copies `s` and adds a NUL behind it. {NULL, 0} when out of memory. */
struct slice arena_copy(struct arena *arena, struct slice s) __attribute__((warn_unused_result));
/* Formatted text with a NUL; {NULL, 0} when out of memory. */
struct slice arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));
/* Calls fn(arg) when the arena is cleared. False when out of memory (fn is then not called). */
bool arena_on_clear(struct arena *arena, void (*fn)(void *arg), void *arg)
    __attribute__((warn_unused_result));

#endif
