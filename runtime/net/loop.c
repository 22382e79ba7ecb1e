/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c -- see loop.h. One turn of the loop:
 *
 *   epoll_wait -> events that are ready (sockets, posts of other threads, the wheel) -> deferred
 * tasks
 *
 * The time is read at most once a turn, by the first one who asks after epoll_wait: nobody runs
 * between the moment it is forgotten and epoll_wait, so a callback never sees the time of before
 * the wait, and a turn in which nobody asks costs no clock call. */
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/deadline.h"

struct post {
    struct post *next;
    void (*fn)(void *arg);
    void *arg;
};

/* Behind a pointer, so that asking a const loop may read the clock. */
struct turn_clock {
    int64_t now_ms;
    int64_t wall_ms;
    bool has_now;
    bool has_wall;
};

struct loop {
    struct event_base *base;
    struct turn_clock *clock;
    bool is_running;
    atomic_bool is_stopping;
    struct list tasks;
    struct deadline_wheel wheel;

    int wake_fd; /* eventfd: a post or a stop is waiting */
    struct event wake_event;
    pthread_mutex_t mutex; /* around the two below */
    struct post *posts;
    struct post **posts_tail;
};

static void on_wake(evutil_socket_t fd, short what, void *arg);

/* Edge-triggered events with a notice of the peer's FIN are what conn.c is built on. */
static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    struct event_base *base = NULL;
    if (event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE) == 0 &&
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct loop *loop_create(void)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return NULL;
    if (pthread_mutex_init(&loop->mutex, NULL) != 0) {
        free(loop);
        return NULL;
    }
    loop->posts_tail = &loop->posts;
    list_init(&loop->tasks);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->clock = calloc(1, sizeof(*loop->clock));
    loop->base = make_base();
    if (loop->wake_fd < 0 || loop->clock == NULL || loop->base == NULL)
        goto fail;
    deadline_wheel_init(&loop->wheel, loop);
    event_assign(&loop->wake_event, loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    if (event_add(&loop->wake_event, NULL) != 0)
        goto fail;
    return loop;
fail:
    if (loop->base != NULL)
        event_base_free(loop->base);
    free(loop->clock);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->mutex);
    free(loop);
    return NULL;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    event_del(&loop->wake_event);
    deadline_wheel_clear(&loop->wheel);
    event_base_free(loop->base);
    while (loop->posts != NULL) {
        struct post *post = loop->posts;
        loop->posts = post->next;
        free(post);
    }
    /* Tasks belong to others: leave none of them pointing into freed memory. */
    while (!list_is_empty(&loop->tasks))
        list_remove(loop->tasks.next);
    close(loop->wake_fd);
    pthread_mutex_destroy(&loop->mutex);
    free(loop->clock);
    free(loop);
}

/* --- turns --- */

void loop_run_tasks(struct loop *loop)
{
    if (list_is_empty(&loop->tasks))
        return;
    /* What a task defers waits for the next turn, so that sockets get their share. */
    struct list batch = loop->tasks;
    batch.next->prev = batch.prev->next = &batch;
    list_init(&loop->tasks);
    while (!list_is_empty(&batch)) {
        struct loop_task *task = LIST_ENTRY(batch.next, struct loop_task, node);
        list_remove(&task->node);
        task->fn(task->arg);
    }
}

void loop_run(struct loop *loop)
{
    loop->is_running = true;
    while (!atomic_load_explicit(&loop->is_stopping, memory_order_acquire)) {
        int flags = EVLOOP_ONCE;
        if (!list_is_empty(&loop->tasks))
            flags |= EVLOOP_NONBLOCK;
        loop->clock->has_now = loop->clock->has_wall = false;
        if (event_base_loop(loop->base, flags) < 0)
            break;
        loop_run_tasks(loop);
    }
    loop->is_running = false;
    loop->clock->has_now = loop->clock->has_wall = false;
    /* Here and not at the start: a stop that came before the run must not be lost. */
    atomic_store_explicit(&loop->is_stopping, false, memory_order_release);
}

static void wake(struct loop *loop)
{
    const uint64_t one = 1;
    ssize_t n;
    do {
        n = write(loop->wake_fd, &one, sizeof(one));
    } while (n < 0 &&
             errno == EINTR); /* EAGAIN: the counter is full, so the loop will wake anyway */
}

void loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->is_stopping, true, memory_order_release);
    wake(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

struct deadline_wheel *loop_wheel(struct loop *loop)
{
    return &loop->wheel;
}

int64_t loop_now_ms(const struct loop *loop)
{
    struct turn_clock *clock = loop->clock;
    if (!clock->has_now) {
        clock->now_ms = clock_now_ms();
        clock->has_now = loop->is_running;
    }
    return clock->now_ms;
}

int64_t loop_wall_ms(const struct loop *loop)
{
    struct turn_clock *clock = loop->clock;
    if (!clock->has_wall) {
        clock->wall_ms = clock_wall_ms();
        clock->has_wall = loop->is_running;
    }
    return clock->wall_ms;
}

/* --- posts and tasks --- */

bool loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct post *post = malloc(sizeof(*post));
    if (post == NULL)
        return false;
    *post = (struct post){.fn = fn, .arg = arg};
    pthread_mutex_lock(&loop->mutex);
    bool was_empty = loop->posts == NULL;
    *loop->posts_tail = post;
    loop->posts_tail = &post->next;
    /* Under the mutex: once it is released the loop may run the post and be destroyed by it. */
    if (was_empty)
        wake(loop);
    pthread_mutex_unlock(&loop->mutex);
    return true;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct loop *loop = arg;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    (void)n; /* nothing there: somebody else's wake was read before */
    pthread_mutex_lock(&loop->mutex);
    struct post *post = loop->posts;
    loop->posts = NULL;
    loop->posts_tail = &loop->posts;
    pthread_mutex_unlock(&loop->mutex);
    while (post != NULL) {
        struct post *next = post->next;
        post->fn(post->arg);
        free(post);
        post = next;
    }
}

void loop_task_init(struct loop_task *task, void (*fn)(void *arg), void *arg)
{
    list_init(&task->node);
    task->fn = fn;
    task->arg = arg;
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
    if (list_is_empty(&task->node))
        list_push_back(&loop->tasks, &task->node);
}

void loop_task_cancel(struct loop_task *task)
{
    list_remove(&task->node);
}
