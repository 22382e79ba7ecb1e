/* SPDX-License-Identifier: Apache-2.0 */
/* inbuf.c -- receive blocks. The pool is last-in first-out: a busy worker keeps using the few
 * blocks that are warm in its cache. */
#include "proxy/inbuf.h"

#include <stdlib.h>

static void *next_of(void *block)
{
    void *next;
    memcpy(&next, block, sizeof(next));
    return next;
}

void block_pool_clear(struct block_pool *pool)
{
    while (pool->free != NULL) {
        void *block = pool->free;
        pool->free = next_of(block);
        free(block);
    }
    pool->count = 0;
}

bool inbuf_prepare(struct inbuf *in, struct block_pool *pool)
{
    if (in->data != NULL)
        return true;
    void *block = pool->free;
    if (block != NULL) {
        pool->free = next_of(block);
        pool->count--;
    } else {
        block = malloc(INBUF_BYTES);
    }
    *in = (struct inbuf){.data = block};
    return block != NULL;
}

void inbuf_release(struct inbuf *in, struct block_pool *pool)
{
    if (in->data != NULL && pool->count < INBUF_SPARE_BLOCKS) {
        memcpy(in->data, &pool->free, sizeof(pool->free));
        pool->free = in->data;
        pool->count++;
    } else {
        free(in->data);
    }
    *in = (struct inbuf){0};
}

void inbuf_compact(struct inbuf *in)
{
    if (in->start == in->end) {
        in->start = in->end = in->floor;
    } else if (in->end == INBUF_BYTES && in->start > in->floor) {
        memmove(in->data + in->floor, in->data + in->start, in->end - in->start);
        in->end = in->floor + (in->end - in->start);
        in->start = in->floor;
    }
}

/* Each byte is moved three times at most, for a quarter of the block was used up since the last
 * time. */
void inbuf_make_room(struct inbuf *in)
{
    if (in->start < INBUF_FAR_BYTES)
        return;
    memmove(in->data, in->data + in->start, in->end - in->start);
    in->end -= in->start;
    in->start = in->floor = 0;
}
