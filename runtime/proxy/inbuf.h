/* SPDX-License-Identifier: Apache-2.0 */
/* inbuf.h -- what was received from one peer and not used yet, in one block of the worker's pool.
 *
 * Slices of a parsed head point into the block, so the head is kept below `floor` until its message
 * is over; body bytes come and go behind it. An idle connection holds no block. */
#ifndef SLUICE_PROXY_INBUF_H
#define SLUICE_PROXY_INBUF_H

#include "base/slice.h"

enum {
    INBUF_BYTES = 65536,
    INBUF_FAR_BYTES = INBUF_BYTES / 4, /* see inbuf_make_room() */
    INBUF_SPARE_BLOCKS = 256,          /* kept by a pool at most */
};

struct block_pool {
    void *free;
    unsigned count;
};

struct inbuf {
    char *data;     /* NULL: no block */
    uint32_t floor; /* bytes below belong to a head in use */
    uint32_t start; /* first byte not used */
    uint32_t end;
};

void block_pool_clear(struct block_pool *pool);
/* Takes a block if there is none. False: out of memory. */
bool inbuf_prepare(struct inbuf *in, struct block_pool *pool) __attribute__((warn_unused_result));
/* Gives the block back, with whatever is in it. */
void inbuf_release(struct inbuf *in, struct block_pool *pool);
/* Moves the unused bytes down to the floor if there is no room behind them, or none are left. */
void inbuf_compact(struct inbuf *in);
/* Before another message is read: moves the unused bytes to the front if they begin far behind it,
 * so that a head of the longest kind and some body behind it fit. Only while nothing is held. */
void inbuf_make_room(struct inbuf *in);
/* A message is over: nothing is held any more. */
static inline void inbuf_unhold(struct inbuf *in)
{
    in->floor = 0;
}

static inline size_t inbuf_len(const struct inbuf *in)
{
    return in->end - in->start;
}

static inline size_t inbuf_room(const struct inbuf *in)
{
    return INBUF_BYTES - in->end;
}

static inline struct slice inbuf_slice(const struct inbuf *in)
{
    return slice_make(in->data + in->start, in->end - in->start);
}

#endif
