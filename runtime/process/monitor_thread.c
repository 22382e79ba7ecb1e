/* SPDX-License-Identifier: Apache-2.0 */
/* monitor_thread.c -- the thread that always answers: Status API and counters. Never blocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/status_server.h"
#include "process/gateway_parts.h"

static int64_t read_count(const atomic_uint_fast64_t *counter)
{
    return (int64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

void monitor_thread_fill_status(struct gateway *gateway, json_t *status)
{
    int64_t requests = 0, accepted = 0, active = 0;
    for (int i = 0; i < gateway->options->workers; i++) {
        const struct worker *worker = atomic_load(&gateway->workers[i].worker);
        if (worker == NULL)
            continue;
        requests += read_count(&worker->stats.requests);
        accepted += read_count(&worker->stats.accepted);
        active += read_count(&worker->stats.active);
    }
    json_t *server = json_object_get(status, "server");
    if (server == NULL) {
        server = json_object();
        json_object_set_new(status, "server", server);
    }
    json_object_set_new(server, "total_requests", json_integer(requests));
    json_object_set_new(server, "connections_accepted", json_integer(accepted));
    json_object_set_new(server, "connections_handled", json_integer(accepted));
    json_object_set_new(server, "connections_active", json_integer(active));
    json_t *database = json_object_get(status, "database");
    if (database != NULL)
        json_object_set_new(database, "reachable",
                            json_boolean(atomic_load(&gateway->is_database_reachable)));
}

static void fill_status(void *context, json_t *status)
{
    monitor_thread_fill_status(context, status);
}

static const char *not_ready(void *context)
{
    struct gateway *gateway = context;
    if (atomic_load(&gateway->is_draining))
        return "draining";
    if (strcmp(gateway->options->database, "off") != 0)
        return NULL;
    struct snapshot *snapshot = snapshot_slot_acquire(&gateway->shared.slot);
    bool is_empty = snapshot == NULL ||
                    (snapshot->routing->route_count == 0 && snapshot->routing->config_count == 0);
    snapshot_unref(snapshot);
    return is_empty ? "no configuration available (empty configuration present)" : NULL;
}

static void stop_serving(void *arg)
{
    struct gateway *gateway = arg;
    status_server_destroy(gateway->status_server);
    gateway->status_server = NULL;
}

void monitor_thread_drain(struct gateway *gateway)
{
    if (!loop_post(gateway->monitor_loop, stop_serving, gateway))
        log_write(gateway->error_log, LOG_LEVEL_ERROR, "the Status API goes on: out of memory");
}

static void *run(void *arg)
{
    struct gateway *gateway = arg;
    const struct status_callbacks callbacks = {
        .error_log = gateway->status_error_log,
        .access_log = gateway->status_access_log,
        .tls = gateway->admin_tls,
        .fill_status = fill_status,
        .not_ready = not_ready,
        .context = gateway,
    };
    char *error = NULL;
    pthread_setname_np(pthread_self(), "monitor");
    gateway->status_server = status_server_create(gateway->monitor_loop, gateway->options,
                                                  gateway->sockets->status, &callbacks, &error);
    if (gateway->status_server == NULL) {
        gateway_start_up(&gateway->start, error != NULL ? error : strdup("out of memory"));
        return NULL;
    }
    gateway_start_up(&gateway->start, NULL);
    loop_run(gateway->monitor_loop);
    stop_serving(gateway);
    return NULL;
}

bool monitor_thread_start(struct gateway *gateway)
{
    gateway->monitor_loop = loop_create();
    gateway->is_monitor_started = gateway->monitor_loop != NULL &&
                                  pthread_create(&gateway->monitor_thread, NULL, run, gateway) == 0;
    return gateway->is_monitor_started;
}

void monitor_thread_stop(struct gateway *gateway)
{
    if (gateway->is_monitor_started) {
        loop_stop(gateway->monitor_loop);
        pthread_join(gateway->monitor_thread, NULL);
    }
    gateway->is_monitor_started = false;
    loop_destroy(gateway->monitor_loop);
    gateway->monitor_loop = NULL;
}
