/* SPDX-License-Identifier: Apache-2.0 */
/* deadline.c -- see loop.h and deadline.h.
 *
 * Slot s holds what is due in [s * LOOP_SLOT_MS, (s + 1) * LOOP_SLOT_MS) and comes up at its end,
 * so nothing fires early. `first_slot` is the oldest slot not yet swept, and every node sits in one
 * of the LOOP_SLOTS slots from there on; what is due later waits in the last of them. A node whose
 * time was moved later is sorted in again when its slot comes up. One libevent timer waits for the
 * next slot that may hold something; without deadlines there is no timer and the loop sleeps. */
#include "net/deadline.h"

static unsigned slot_index(int64_t slot)
{
    return (unsigned)((uint64_t)slot % LOOP_SLOTS);
}

/* The first slot at or after `first_slot` that holds something, or INT64_MAX. Bits of slots that
 * have become empty are cleared on the way. */
static int64_t next_slot(struct deadline_wheel *wheel)
{
    unsigned from = slot_index(wheel->first_slot);
    for (unsigned step = 0; step < LOOP_SLOTS;) {
        unsigned index = (from + step) % LOOP_SLOTS;
        uint64_t word = wheel->occupied[index / DEADLINE_WORD_BITS] >> (index % DEADLINE_WORD_BITS);
        if (word == 0) {
            step += DEADLINE_WORD_BITS - index % DEADLINE_WORD_BITS;
            continue;
        }
        step += (unsigned)__builtin_ctzll(word);
        if (step >= LOOP_SLOTS)
            break;
        index = (from + step) % LOOP_SLOTS;
        if (!list_is_empty(&wheel->slots[index]))
            return wheel->first_slot + step;
        wheel->occupied[index / DEADLINE_WORD_BITS] &=
            ~(UINT64_C(1) << (index % DEADLINE_WORD_BITS));
        step++;
    }
    return INT64_MAX;
}

static void arm(struct deadline_wheel *wheel, int64_t slot)
{
    int64_t wait_ms = (slot + 1) * LOOP_SLOT_MS - loop_now_ms(wheel->loop);
    if (wait_ms < 0)
        wait_ms = 0;
    struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    /* Out of memory in libevent's heap: the next deadline that is set tries again. */
    wheel->armed_slot = event_add(&wheel->timer, &wait) == 0 ? slot : INT64_MAX;
}

static void sort_in(struct deadline_wheel *wheel, struct deadline *deadline)
{
    int64_t slot = deadline->at_ms / LOOP_SLOT_MS;
    if (slot < wheel->first_slot)
        slot = wheel->first_slot;
    if (slot >= wheel->first_slot + LOOP_SLOTS)
        slot = wheel->first_slot + LOOP_SLOTS - 1;
    unsigned index = slot_index(slot);
    deadline->slot_ms = slot * LOOP_SLOT_MS;
    list_push_back(&wheel->slots[index], &deadline->node);
    wheel->occupied[index / DEADLINE_WORD_BITS] |= UINT64_C(1) << (index % DEADLINE_WORD_BITS);
}

/* Moves everything in slots that have ended to `due`. */
static void sweep(struct deadline_wheel *wheel, int64_t now_ms, struct list *due)
{
    int64_t current = now_ms / LOOP_SLOT_MS;
    for (;;) {
        int64_t slot = next_slot(wheel);
        if (slot >= current)
            break;
        struct list *head = &wheel->slots[slot_index(slot)];
        while (!list_is_empty(head)) {
            struct list *node = head->next;
            list_remove(node);
            list_push_back(due, node);
        }
    }
    wheel->first_slot = current;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct deadline_wheel *wheel = arg;
    int64_t now_ms = loop_now_ms(wheel->loop);
    struct list due;
    list_init(&due);
    wheel->armed_slot = INT64_MAX;
    sweep(wheel, now_ms, &due);
    while (!list_is_empty(&due)) {
        struct deadline *deadline = LIST_ENTRY(due.next, struct deadline, node);
        list_remove(&deadline->node);
        if (deadline->at_ms > now_ms) {
            sort_in(wheel, deadline);
            continue;
        }
        deadline->at_ms = 0;
        deadline->on_deadline(deadline); /* may free it, and may set or clear any other */
    }
    int64_t slot = next_slot(wheel);
    if (slot < wheel->armed_slot)
        arm(wheel, slot);
}

void deadline_wheel_init(struct deadline_wheel *wheel, struct loop *loop)
{
    *wheel = (struct deadline_wheel){.loop = loop, .armed_slot = INT64_MAX};
    for (int i = 0; i < LOOP_SLOTS; i++)
        list_init(&wheel->slots[i]);
    evtimer_assign(&wheel->timer, loop_base(loop), on_timer, wheel);
}

void deadline_wheel_clear(struct deadline_wheel *wheel)
{
    event_del(&wheel->timer);
    for (int i = 0; i < LOOP_SLOTS; i++) {
        while (!list_is_empty(&wheel->slots[i]))
            list_remove(wheel->slots[i].next);
    }
}

void deadline_init(struct deadline *deadline, void (*on_deadline)(struct deadline *deadline))
{
    *deadline = (struct deadline){.on_deadline = on_deadline};
    list_init(&deadline->node);
}

void deadline_set(struct loop *loop, struct deadline *deadline, int64_t at_ms)
{
    if (at_ms < 1)
        at_ms = 1; /* 0 means not set */
    deadline->at_ms = at_ms;
    if (!list_is_empty(&deadline->node)) {
        if (at_ms >= deadline->slot_ms)
            return;
        list_remove(&deadline->node);
    }
    struct deadline_wheel *wheel = loop_wheel(loop);
    if (wheel->armed_slot == INT64_MAX && next_slot(wheel) == INT64_MAX)
        wheel->first_slot = loop_now_ms(loop) / LOOP_SLOT_MS; /* it stood still while empty */
    sort_in(wheel, deadline);
    int64_t slot = deadline->slot_ms / LOOP_SLOT_MS;
    if (slot < wheel->armed_slot)
        arm(wheel, slot);
}

void deadline_clear(struct deadline *deadline)
{
    list_remove(&deadline->node);
    deadline->at_ms = 0;
}
