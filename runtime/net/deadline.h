/* SPDX-License-Identifier: Apache-2.0 */
/* deadline.h -- the hashed wheel behind the deadlines of loop.h; for loop.c alone. Embedded in its
 * loop and as old as it. */
#ifndef SLUICE_NET_DEADLINE_H
#define SLUICE_NET_DEADLINE_H

#include "net/loop.h"

enum {
    DEADLINE_WORD_BITS = 64,
    DEADLINE_WORDS = LOOP_SLOTS / DEADLINE_WORD_BITS,
};

struct deadline_wheel {
    struct loop *loop;
    struct list slots[LOOP_SLOTS]; /* slot number modulo LOOP_SLOTS */
    /* One bit per slot: it may hold something. deadline_clear() does not know the loop and leaves
     * the bit to the next look. */
    uint64_t occupied[DEADLINE_WORDS];
    int64_t first_slot;
    int64_t armed_slot; /* whose end the timer waits for; INT64_MAX: not armed */
    struct event timer;
};

void deadline_wheel_init(struct deadline_wheel *wheel, struct loop *loop);
/* Takes out every deadline, without calling it: they belong to others. */
void deadline_wheel_clear(struct deadline_wheel *wheel);

/* Of loop.c. */
struct deadline_wheel *loop_wheel(struct loop *loop);

#endif
