/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c -- bump allocation in blocks. A request that fits in one pooled block costs no malloc;
 * an allocation larger than a block gets a block of its own, which never enters the pool. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, bytes) __asan_poison_memory_region(ptr, bytes)
#define UNPOISON(ptr, bytes) __asan_unpoison_memory_region(ptr, bytes)
#else
#define POISON(ptr, bytes) (void)0
#define UNPOISON(ptr, bytes) (void)0
#endif

struct arena_block {
    struct arena_block *next;
    size_t bytes; /* of the whole block */
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*fn)(void *arg);
    void *arg;
};

enum { ALIGN = 16 };

void arena_init(struct arena *arena, struct arena_pool *pool)
{
    *arena = (struct arena){.pool = pool};
}

static struct arena_block *take_block(struct arena *arena, size_t bytes)
{
    struct arena_pool *pool = arena->pool;
    struct arena_block *block;
    if (bytes == ARENA_BLOCK_BYTES && pool != NULL && pool->free != NULL) {
        block = pool->free;
        UNPOISON(block, bytes);
        pool->free = block->next;
        pool->count--;
    } else {
        block = malloc(bytes);
        if (block == NULL)
            return NULL;
        block->bytes = bytes;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    POISON(block + 1, bytes - sizeof(*block));
    return block;
}

static void give_block(struct arena_pool *pool, struct arena_block *block)
{
    if (pool != NULL && block->bytes == ARENA_BLOCK_BYTES && pool->count < ARENA_POOL_BLOCKS) {
        block->next = pool->free;
        pool->free = block;
        pool->count++;
        POISON((char *)block + sizeof(*block), block->bytes - sizeof(*block));
        return;
    }
    UNPOISON(block, block->bytes);
    free(block);
}

void arena_clear(struct arena *arena)
{
    while (arena->cleanups != NULL) {
        struct arena_cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->fn(cleanup->arg);
    }
    struct arena_block *block = arena->blocks;
    while (block != NULL) {
        struct arena_block *next = block->next;
        give_block(arena->pool, block);
        block = next;
    }
    arena->blocks = NULL;
    arena->ptr = arena->end = NULL;
}

void arena_pool_clear(struct arena_pool *pool)
{
    while (pool->free != NULL) {
        struct arena_block *block = pool->free;
        UNPOISON(block, ARENA_BLOCK_BYTES);
        pool->free = block->next;
        free(block);
    }
    pool->count = 0;
}

/* Size of the next block. Without a pool blocks begin small and double: one entity of 100,000
 * should not cost a page. */
static size_t usual_bytes(const struct arena *arena)
{
    if (arena->pool != NULL)
        return ARENA_BLOCK_BYTES;
    if (arena->blocks == NULL)
        return ARENA_FIRST_BYTES;
    size_t doubled = arena->blocks->bytes * 2;
    return doubled > ARENA_BLOCK_BYTES ? ARENA_BLOCK_BYTES : doubled;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t rounded;
    if (__builtin_add_overflow(bytes, (size_t)(ALIGN - 1), &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGN - 1);
    if (rounded > (size_t)(arena->end - arena->ptr)) {
        size_t need;
        if (__builtin_add_overflow(rounded, sizeof(struct arena_block), &need))
            return NULL;
        size_t usual = usual_bytes(arena);
        bool is_large = need > ARENA_BLOCK_BYTES;
        while (!is_large && usual < need)
            usual *= 2;
        struct arena_block *block = take_block(arena, is_large ? need : usual);
        if (block == NULL)
            return NULL;
        if (is_large) { /* the current block stays in use for what comes next */
            UNPOISON(block + 1, bytes);
            return block + 1;
        }
        arena->ptr = (char *)(block + 1);
        arena->end = (char *)block + usual;
    }
    void *result = arena->ptr;
    arena->ptr += rounded;
    UNPOISON(result, bytes);
    return result;
}

void *arena_calloc(struct arena *arena, size_t bytes)
{
    void *result = arena_alloc(arena, bytes);
    if (result != NULL)
        memset(result, 0, bytes);
    return result;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
    char *copy = s.len == SIZE_MAX ? NULL : arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return (struct slice){NULL, 0};
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return slice_make(copy, s.len);
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text == NULL ? (struct slice){NULL, 0} : slice_make(text, (size_t)len);
}

bool arena_on_clear(struct arena *arena, void (*fn)(void *arg), void *arg)
{
    struct arena_cleanup *cleanup = arena_alloc(arena, sizeof(*cleanup));
    if (cleanup == NULL)
        return false;
    *cleanup = (struct arena_cleanup){arena->cleanups, fn, arg};
    arena->cleanups = cleanup;
    return true;
}
