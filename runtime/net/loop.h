/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h -- one event loop of one thread: a libevent base, the current time, deadlines, and a way
 * for other threads to have something done here.
 *
 * Everything but loop_post() and loop_stop() is for the loop's own thread. */
#ifndef SLUICE_NET_LOOP_H
#define SLUICE_NET_LOOP_H

/* libevent's header uses a macro LIST_ENTRY of its own, which must not meet that of base/list.h. */
#pragma push_macro("LIST_ENTRY")
#undef LIST_ENTRY
#include <event2/event.h>
#include <event2/event_struct.h>
#pragma pop_macro("LIST_ENTRY")
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum {
    LOOP_SLOT_MS = 16, /* deadlines fire at most this late (and never early) */
    LOOP_SLOTS = 256,  /* later ones wait in the last slot and are sorted in again */
};

/* A point in time at which something is to happen. Embedded in its owner. Moving it later is one
 * store: it is sorted in again when its slot comes up. */
struct deadline {
    struct list node;
    int64_t at_ms;   /* monotonic; 0: not set */
    int64_t slot_ms; /* start of the slot it sits in */
    void (*on_deadline)(struct deadline *deadline);
};

struct loop;

struct loop *loop_create(void) __attribute__((warn_unused_result)); /* NULL: out of memory */
void loop_destroy(struct loop *loop);
/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop); /* any thread */
struct event_base *loop_base(struct loop *loop);
/* Time of this turn of the loop, monotonic milliseconds / Unix milliseconds. */
int64_t loop_now_ms(const struct loop *loop);
int64_t loop_wall_ms(const struct loop *loop);
/* Calls fn(arg) on the loop's thread, soon; any thread. False: out of memory. Tasks that were not
 * run when the loop is destroyed are dropped. */
bool loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
    __attribute__((warn_unused_result));
/* Calls fn(arg) at the end of this turn, after the events that are ready now. */
struct loop_task {
    struct list node;
    void (*fn)(void *arg);
    void *arg;
};
void loop_task_init(struct loop_task *task, void (*fn)(void *arg), void *arg);
void loop_defer(struct loop *loop, struct loop_task *task); /* again while queued: no-op */
void loop_task_cancel(struct loop_task *task);
/* Runs what was deferred, for an owner that ends after its loop has stopped. */
void loop_run_tasks(struct loop *loop);

void deadline_init(struct deadline *deadline, void (*on_deadline)(struct deadline *deadline));
void deadline_set(struct loop *loop, struct deadline *deadline, int64_t at_ms);
void deadline_clear(struct deadline *deadline); /* cheap; must be done before the owner is freed */

#endif
