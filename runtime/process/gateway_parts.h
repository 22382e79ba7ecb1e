/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_parts.h -- the threads of a gateway process, for gateway.c and the *_thread.c files. */
#ifndef SLUICE_PROCESS_GATEWAY_PARTS_H
#define SLUICE_PROCESS_GATEWAY_PARTS_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "process/gateway.h"
#include "proxy/worker.h"

struct admin_server;
struct builder;
struct status_server;
struct store;

/* A started thread says once whether it is up: gateway_start_wait() collects it. */
struct gateway_start {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int running, failed;
    char *error; /* heap; of the first that failed */
};

struct worker_thread {
    pthread_t thread;
    bool is_started;
    int id;
    struct gateway *gateway;
    _Atomic(struct worker *) worker; /* set by the thread, valid until it is joined */
};

struct gateway {
    const struct options *options;
    const struct gateway_sockets *sockets;
    struct log *error_log, *access_log, *admin_error_log, *admin_access_log, *status_error_log,
        *status_access_log;
    struct plugin_set plugins;
    struct worker_shared shared;
    struct store *store;     /* the admin thread's, once it runs */
    struct builder *builder; /* likewise */
    struct gateway_start start;
    struct worker_thread *workers;
    atomic_int draining_left; /* workers that still have clients */
    pthread_t admin_thread, monitor_thread;
    bool is_admin_started, is_monitor_started;
    struct loop *admin_loop, *monitor_loop;
    struct admin_server *admin_server;   /* the admin thread's; NULL once it drains */
    struct status_server *status_server; /* the monitor thread's, likewise */
    SSL_CTX *admin_tls;
    atomic_bool is_database_reachable;
    atomic_bool is_draining;
    int wake_fd; /* eventfd: the last worker has drained */
};

void gateway_start_up(struct gateway_start *start, char *error /* NULL: fine; taken */);

/* Each creates its thread; the thread reports through gateway_start_up(). False: it could not be
 * created. */
bool worker_thread_start(struct worker_thread *self);
/* Asks the worker to stop accepting and to finish what runs; any thread. */
void worker_thread_drain(struct worker_thread *self);
void worker_thread_stop(struct worker_thread *self); /* and joins it */
bool admin_thread_start(struct gateway *gateway);
/* Ask the threads to leave their ports to the next generation; any thread. A write that came here
 * would be missing there until its next look at the change log. */
void admin_thread_drain(struct gateway *gateway);
void monitor_thread_drain(struct gateway *gateway);
void admin_thread_stop(struct gateway *gateway);
bool monitor_thread_start(struct gateway *gateway);
void monitor_thread_stop(struct gateway *gateway);

/* Adds live counts to the body of /status. */
void monitor_thread_fill_status(struct gateway *gateway, json_t *status);

#endif
