/* SPDX-License-Identifier: Apache-2.0 */
/* worker_thread.c -- one thread, one worker: makes it, runs its loop, ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process/gateway_parts.h"

static void on_drained(struct worker *worker)
{
    struct gateway *gateway = worker->shared->gateway;
    if (atomic_fetch_sub(&gateway->draining_left, 1) != 1)
        return;
    uint64_t one = 1;
    ssize_t written = write(gateway->wake_fd, &one, sizeof(one));
    (void)written; /* the main thread has a deadline too */
}

static void *run(void *arg)
{
    struct worker_thread *self = arg;
    struct gateway *gateway = self->gateway;
    const struct options *options = gateway->options;
    char name[16], *error = NULL;
    snprintf(name, sizeof(name), "worker %d", self->id);
    pthread_setname_np(pthread_self(), name);
    int *sockets = calloc(options->proxy_listen.count + 1, sizeof(*sockets));
    for (size_t i = 0; sockets != NULL && i < options->proxy_listen.count; i++)
        sockets[i] = gateway->sockets->proxy[i * (size_t)options->workers + (size_t)self->id];
    struct worker *worker =
        sockets == NULL ? NULL : worker_create(&gateway->shared, self->id, &error);
    if (worker == NULL || !worker_listen(worker, sockets)) {
        worker_destroy(worker);
        free(sockets);
        gateway_start_up(&gateway->start, error != NULL ? error : strdup("out of memory"));
        return NULL;
    }
    free(sockets);
    worker->on_drained = on_drained;
    atomic_store(&self->worker, worker);
    gateway_start_up(&gateway->start, NULL);
    loop_run(worker->loop);
    worker_destroy(worker);
    return NULL;
}

bool worker_thread_start(struct worker_thread *self)
{
    self->is_started = pthread_create(&self->thread, NULL, run, self) == 0;
    return self->is_started;
}

static void drain(void *arg)
{
    worker_drain(arg);
}

void worker_thread_drain(struct worker_thread *self)
{
    struct worker *worker = atomic_load(&self->worker);
    if (worker != NULL && !loop_post(worker->loop, drain, worker))
        worker_thread_stop(self);
}

void worker_thread_stop(struct worker_thread *self)
{
    if (!self->is_started)
        return;
    struct worker *worker = atomic_load(&self->worker);
    if (worker != NULL)
        loop_stop(worker->loop);
    pthread_join(self->thread, NULL);
    self->is_started = false;
    atomic_store(&self->worker, NULL);
}
