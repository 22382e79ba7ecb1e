/* SPDX-License-Identifier: Apache-2.0 */
/* admin_thread.c -- the control plane's thread: Admin API, store, snapshots. The only thread that
 * may block on SQL. What other nodes on the same database wrote is looked for every
 * db_update_frequency. */
#include <stdlib.h>
#include <string.h>

#include "admin/server.h"
#include "config/schema.h"
#include "config/store.h"
#include "process/gateway_parts.h"
#include "snapshot/build.h"

struct admin_thread {
    struct gateway *gateway;
    struct deadline poll;
    int64_t seen; /* change log position that the snapshot holds */
};

static bool publish(struct gateway *gateway)
{
    struct snapshot *snapshot = builder_snapshot(gateway->builder);
    if (snapshot == NULL)
        return false;
    snapshot_slot_publish(&gateway->shared.slot, snapshot);
    return true;
}

static bool on_change(void *context, const struct schema *schema, const char *id, const json_t *row)
{
    struct admin_thread *self = context;
    return builder_apply(self->gateway->builder, schema, id, row) && publish(self->gateway);
}

static bool reload(struct gateway *gateway)
{
    struct store_error error = {0};
    enum store_result result = builder_load(gateway->builder, gateway->store, &error);
    if (result != STORE_OK)
        log_write(gateway->error_log, LOG_LEVEL_ERROR, "configuration was not read: %s",
                  error.text);
    store_error_clear(&error);
    return result == STORE_OK && publish(gateway);
}

static bool on_replace(void *context)
{
    struct admin_thread *self = context;
    return reload(self->gateway);
}

static void fill_status(void *context, json_t *status)
{
    struct admin_thread *self = context;
    monitor_thread_fill_status(self->gateway, status);
}

/* Applies one entry of the change log. False: it cannot be applied alone, everything must be read.
 */
static bool apply_entry(struct gateway *gateway, const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "entity"));
    const char *id = json_string_value(json_object_get(entry, "id"));
    const struct schema *schema = kind == NULL ? NULL : schema_find(kind);
    if (schema == NULL || id == NULL)
        return false;
    struct store_error error = {0};
    json_t *row = NULL;
    enum store_result result = store_select(gateway->store, schema, id, &row, &error);
    store_error_clear(&error);
    bool is_done = (result == STORE_OK || result == STORE_NOT_FOUND) &&
                   builder_apply(gateway->builder, schema, id, row);
    json_decref(row);
    return is_done;
}

static void take_changes(struct admin_thread *self)
{
    struct gateway *gateway = self->gateway;
    struct store_error error = {0};
    json_t *entries = NULL;
    int64_t latest = self->seen;
    enum store_result result =
        store_changes_since(gateway->store, self->seen, &entries, &latest, &error);
    bool was_reachable = atomic_exchange(&gateway->is_database_reachable, result == STORE_OK);
    if (result != STORE_OK) {
        if (was_reachable)
            log_write(gateway->error_log, LOG_LEVEL_ERROR,
                      "the database does not answer, proxying goes on with what is known: %s",
                      error.text);
        store_error_clear(&error);
        return;
    }
    if (!was_reachable)
        log_write(gateway->error_log, LOG_LEVEL_NOTICE, "the database answers again");
    bool is_whole = entries != NULL; /* otherwise the log was pruned or the store was reset */
    size_t index;
    json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        is_whole = is_whole && apply_entry(gateway, entry);
    }
    bool is_published =
        is_whole ? json_array_size(entries) == 0 || publish(gateway) : reload(gateway);
    if (is_published)
        self->seen = is_whole ? latest : builder_position(gateway->builder);
    json_decref(entries);
    store_error_clear(&error);
}

static void on_poll(struct deadline *deadline)
{
    struct admin_thread *self = LIST_ENTRY(deadline, struct admin_thread, poll);
    struct loop *loop = self->gateway->admin_loop;
    take_changes(self);
    deadline_set(loop, deadline,
                 loop_now_ms(loop) + self->gateway->options->db_update_frequency_ms);
}

static void stop_serving(void *arg)
{
    struct gateway *gateway = arg;
    admin_server_destroy(gateway->admin_server);
    gateway->admin_server = NULL;
}

void admin_thread_drain(struct gateway *gateway)
{
    if (!loop_post(gateway->admin_loop, stop_serving, gateway))
        log_write(gateway->error_log, LOG_LEVEL_ERROR, "the Admin API goes on: out of memory");
}

static void *run(void *arg)
{
    struct admin_thread self = {.gateway = arg};
    struct gateway *gateway = self.gateway;
    struct admin_config config = {
        .options = gateway->options,
        .store = gateway->store,
        .plugins = &gateway->plugins,
        .error_log = gateway->admin_error_log,
        .access_log = gateway->admin_access_log,
        .sockets = gateway->sockets->admin,
        .tls = gateway->admin_tls,
        .on_change = on_change,
        .on_replace = on_replace,
        .fill_status = fill_status,
        .context = &self,
    };
    char *error = NULL;
    pthread_setname_np(pthread_self(), "admin");
    gateway->admin_server = admin_server_create(gateway->admin_loop, &config, &error);
    if (gateway->admin_server == NULL) {
        gateway_start_up(&gateway->start, error != NULL ? error : strdup("out of memory"));
        return NULL;
    }
    self.seen = builder_position(gateway->builder);
    deadline_init(&self.poll, on_poll);
    if (strcmp(store_kind(gateway->store), "off") != 0)
        deadline_set(gateway->admin_loop, &self.poll,
                     loop_now_ms(gateway->admin_loop) + gateway->options->db_update_frequency_ms);
    gateway_start_up(&gateway->start, NULL);
    loop_run(gateway->admin_loop);
    deadline_clear(&self.poll);
    stop_serving(gateway);
    return NULL;
}

bool admin_thread_start(struct gateway *gateway)
{
    gateway->admin_loop = loop_create();
    gateway->is_admin_started = gateway->admin_loop != NULL &&
                                pthread_create(&gateway->admin_thread, NULL, run, gateway) == 0;
    return gateway->is_admin_started;
}

void admin_thread_stop(struct gateway *gateway)
{
    if (gateway->is_admin_started) {
        loop_stop(gateway->admin_loop);
        pthread_join(gateway->admin_thread, NULL);
    }
    gateway->is_admin_started = false;
    loop_destroy(gateway->admin_loop);
    gateway->admin_loop = NULL;
}
