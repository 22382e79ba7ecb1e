/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_ctx.c -- kong.ctx and the tickets of suspended requests and plugins' timers. */
#include <stdlib.h>

#include "proxy/pdk_host.h"

/* One value kept for a plugin during a request; in the request's arena. */
struct pdk_slot {
    struct pdk_slot *next;
    const void *key;
    void *value;
    void (*destroy)(void *value);
};

static void *ctx_alloc(struct pdk_request *req, size_t bytes)
{
    return arena_calloc(request_of(req)->arena, bytes);
}

static struct pdk_slot *find_slot(struct request *request, const void *key)
{
    for (struct pdk_slot *slot = request->slots; slot != NULL; slot = slot->next)
        if (slot->key == key)
            return slot;
    return NULL;
}

static void *ctx_get(struct pdk_request *req, const void *key)
{
    struct pdk_slot *slot = find_slot(request_of(req), key);
    return slot == NULL ? NULL : slot->value;
}

static bool ctx_set(struct pdk_request *req, const void *key, void *value,
                    void (*destroy)(void *value))
{
    struct request *request = request_of(req);
    struct pdk_slot *slot = find_slot(request, key);
    if (slot == NULL) {
        slot = arena_calloc(request->arena, sizeof(*slot));
        if (slot == NULL)
            return false;
        slot->next = request->slots;
        slot->key = key;
        request->slots = slot;
    } else if (slot->destroy != NULL && slot->value != value) {
        slot->destroy(slot->value);
    }
    slot->value = value;
    slot->destroy = destroy;
    return true;
}

static enum pdk_phase get_phase(struct pdk_request *req)
{
    return (enum pdk_phase)request_of(req)->phase.running;
}

const struct pdk_ctx_api pdk_ctx_table = {
    .size = sizeof(struct pdk_ctx_api),
    .alloc = ctx_alloc,
    .get = ctx_get,
    .set = ctx_set,
    .get_phase = get_phase,
};

void pdk_host_end_request(struct request *request)
{
    for (struct pdk_slot *slot = request->slots; slot != NULL; slot = slot->next)
        if (slot->destroy != NULL && slot->value != NULL)
            slot->destroy(slot->value);
    request->slots = NULL;
}

/* -------------------------------------------------------------------------------------- tickets */

/* Outlives its request: the plugin owns it until resume(). */
struct pdk_ticket {
    struct request *request; /* NULL: the request has ended */
    struct worker *worker;
    struct loop_task task;
};

void pdk_host_end_suspension(struct request *request)
{
    if (request->phase.ticket != NULL)
        request->phase.ticket->request = NULL;
    request->phase.ticket = NULL;
    request->phase.is_suspended = false;
    request->body.is_wanted = false;
}

/* Runs at the end of the loop turn, never inside the handler that called resume(). */
static void on_resume(void *arg)
{
    struct pdk_ticket *ticket = arg;
    struct request *request = ticket->request;
    free(ticket);
    if (request == NULL)
        return;
    request->phase.ticket = NULL;
    if (request->phase.is_suspended)
        request_run(request);
}

static struct pdk_ticket *suspend(struct pdk_request *req)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, "kong.timer.suspend"))
        return NULL;
    if (request->phase.ticket != NULL) {
        request_log(request, LOG_LEVEL_ERROR, "[%s] the request has been suspended already",
                    pdk_host_plugin_name(request));
        return NULL;
    }
    struct pdk_ticket *ticket = calloc(1, sizeof(*ticket));
    if (ticket == NULL)
        return NULL;
    ticket->request = request;
    ticket->worker = request->worker;
    loop_task_init(&ticket->task, on_resume, ticket);
    request->phase.ticket = ticket;
    return ticket;
}

static void resume(struct pdk_ticket *ticket)
{
    loop_defer(ticket->worker->loop, &ticket->task);
}

static bool is_alive(const struct pdk_ticket *ticket)
{
    return ticket->request != NULL;
}

/* --------------------------------------------------------------------------------------- timers */

struct timer {
    struct list node; /* worker->timers */
    struct deadline deadline;
    struct worker *worker;
    struct pdk *kong;
    void (*fn)(const struct pdk *kong, void *arg);
    void *arg;
};

static void on_timer(struct deadline *deadline)
{
    struct timer *timer = LIST_ENTRY(deadline, struct timer, deadline);
    list_remove(&timer->node);
    timer->fn(timer->kong, timer->arg);
    free(timer);
}

static bool after(const struct pdk *kong, int64_t delay_ms,
                  void (*fn)(const struct pdk *kong, void *arg), void *arg)
{
    struct worker *worker = (struct worker *)(void *)kong->worker;
    /* A timer that sets itself again would never let the worker end. */
    bool is_over = worker == NULL || kong->is_exiting;
    struct timer *timer = is_over ? NULL : calloc(1, sizeof(*timer));
    if (timer == NULL)
        return false;
    timer->worker = worker;
    timer->kong = (struct pdk *)(uintptr_t)kong; /* ours; its is_exiting changes */
    timer->fn = fn;
    timer->arg = arg;
    deadline_init(&timer->deadline, on_timer);
    list_push_back(&worker->timers, &timer->node);
    deadline_set(worker->loop, &timer->deadline,
                 loop_now_ms(worker->loop) + (delay_ms < 0 ? 0 : delay_ms));
    return true;
}

void pdk_host_end_worker(struct worker *worker)
{
    while (!list_is_empty(&worker->timers)) {
        struct timer *timer = LIST_ENTRY(worker->timers.next, struct timer, node);
        list_remove(&timer->node);
        deadline_clear(&timer->deadline);
        timer->kong->is_exiting = true;
        timer->fn(timer->kong, timer->arg);
        free(timer);
    }
}

const struct pdk_timer_api pdk_timer_table = {
    .size = sizeof(struct pdk_timer_api),
    .suspend = suspend,
    .resume = resume,
    .is_alive = is_alive,
    .after = after,
};
