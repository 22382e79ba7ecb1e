/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c -- makes and ends a worker's world; leases snapshots to its requests. */
#include "proxy/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "plugin/plugin_lua.h"
#include "proxy/access_log.h"
#include "proxy/client.h"
#include "proxy/pdk_host.h"
#include "proxy/target.h"

static char *text_of(const char *text)
{
    return strdup(text);
}

static bool has_lua_plugin(const struct plugin_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->types[i]->vtable == &plugin_lua_vtable)
            return true;
    return false;
}

/* Every plugin gets its own struct pdk; the last one is the worker's. */
static bool start_plugins(struct worker *worker, char **error)
{
    const struct plugin_set *set = worker->shared->plugins;
    worker->plugins = calloc(set->count + 1, sizeof(*worker->plugins));
    worker->kongs = calloc(set->count + 1, sizeof(*worker->kongs));
    if (worker->plugins == NULL || worker->kongs == NULL) {
        *error = text_of("out of memory");
        return false;
    }
    pdk_host_init(&worker->kongs[set->count], worker, "sluice");
    if (has_lua_plugin(set)) {
        worker->lua = worker_lua_create(&worker->kongs[set->count], &worker->shared->search,
                                        worker->options->is_lua_jit_on, error);
        if (worker->lua == NULL)
            return false;
    }
    for (size_t i = 0; i < set->count; i++) {
        struct plugin_worker *plugin = &worker->plugins[i];
        pdk_host_init(&worker->kongs[i], worker, set->types[i]->name);
        plugin->kong = &worker->kongs[i];
        plugin->lua = worker->lua;
        plugin->type = set->types[i];
        if (!set->types[i]->vtable->worker_start(plugin, worker->lua, error)) {
            plugin->type = NULL; /* not started: not stopped either */
            return false;
        }
    }
    return true;
}

static void stop_plugins(struct worker *worker)
{
    size_t count = worker->plugins == NULL ? 0 : worker->shared->plugins->count;
    for (size_t i = 0; worker->kongs != NULL && i <= count; i++) /* the last is the worker's own */
        worker->kongs[i].is_exiting = true;
    pdk_host_end_worker(worker);
    for (size_t i = 0; i < count; i++)
        if (worker->plugins[i].type != NULL)
            worker->plugins[i].type->vtable->worker_stop(&worker->plugins[i]);
    worker_lua_destroy(worker->lua);
    free(worker->plugins);
    free(worker->kongs);
}

struct worker *worker_create(struct worker_shared *shared, int id, char **error)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    *error = NULL;
    if (worker == NULL)
        goto fail;
    worker->id = id;
    worker->shared = shared;
    worker->options = shared->options;
    list_init(&worker->clients);
    list_init(&worker->timers);
    upstream_pool_init(&worker->pool);
    worker->scratch = malloc(WORKER_SCRATCH_BYTES);
    worker->loop = loop_create();
    if (worker->scratch == NULL || worker->loop == NULL)
        goto fail;
    access_log_init(worker);
    if (getrandom(worker->random_state, sizeof(worker->random_state), 0) !=
        (ssize_t)sizeof(worker->random_state))
        goto fail;
    worker->dns = dns_resolver_create(shared->dns_cache, worker->loop);
    if (worker->dns == NULL || !start_plugins(worker, error))
        goto fail;
    return worker;
fail:
    if (*error == NULL)
        *error = text_of("out of memory");
    worker_destroy(worker);
    return NULL;
}

bool worker_listen(struct worker *worker, const int *sockets)
{
    const struct listen_list *list = &worker->options->proxy_listen;
    worker->listeners = calloc(list->count + 1, sizeof(struct listener *));
    if (worker->listeners == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        worker->listeners[i] = listener_create(worker->loop, worker->shared->error_log, sockets[i],
                                               &list->items[i], client_accept, worker);
        if (worker->listeners[i] == NULL)
            return false;
        worker->listener_count++;
    }
    return true;
}

static void stop_listening(struct worker *worker)
{
    for (size_t i = 0; i < worker->listener_count; i++)
        listener_destroy(worker->listeners[i]);
    free(worker->listeners);
    worker->listeners = NULL;
    worker->listener_count = 0;
}

void worker_drain(struct worker *worker)
{
    worker->is_draining = true;
    stop_listening(worker);
    upstream_pool_clear(&worker->pool);
    for (struct list *at = worker->clients.next, *next; at != &worker->clients; at = next) {
        struct client *client = LIST_ENTRY(at, struct client, node);
        next = at->next;
        bool is_idle = client->state == CLIENT_IDLE && inbuf_len(&client->in) == 0;
        if (is_idle || client->state == CLIENT_HANDSHAKE)
            client_close(client);
    }
    worker_check_drained(worker);
}

void worker_check_drained(struct worker *worker)
{
    void (*on_drained)(struct worker * worker) = worker->on_drained;
    if (!worker->is_draining || !list_is_empty(&worker->clients) || on_drained == NULL)
        return;
    worker->on_drained = NULL; /* told once: the gateway counts workers */
    on_drained(worker);
}

/* Requests that are still running end now: their log phase runs, their clients see a cut. */
static void end_clients(struct worker *worker)
{
    worker->on_drained = NULL;
    while (!list_is_empty(&worker->clients)) {
        struct client *client = LIST_ENTRY(worker->clients.next, struct client, node);
        if (client->state == CLIENT_BUSY)
            request_abort(client->request, "the gateway stops");
        if (client->state != CLIENT_CLOSED)
            client_close(client);
    }
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL)
        return;
    worker->is_draining = true;
    stop_listening(worker);
    end_clients(worker);
    upstream_pool_clear(&worker->pool);
    stop_plugins(worker);
    if (worker->loop != NULL)
        loop_run_tasks(worker->loop); /* closed connections and tickets are freed by tasks */
    if (worker->access.data != NULL)
        access_log_flush(worker);
    target_clear_all(worker);
    dns_resolver_destroy(worker->dns);
    loop_destroy(worker->loop);
    if (worker->lease != NULL)
        worker_lease_release(worker->lease);
    buffer_clear(&worker->access);
    buffer_clear(&worker->record);
    block_pool_clear(&worker->blocks);
    arena_pool_clear(&worker->arenas);
    free(worker->scratch);
    free(worker);
}

void worker_lease_release(struct snapshot_lease *lease)
{
    if (--lease->uses > 0)
        return;
    snapshot_unref(lease->snapshot);
    free(lease);
}

void worker_lease_refresh(struct worker *worker)
{
    struct snapshot_lease *lease = worker->lease;
    if (lease != NULL && snapshot_slot_is_current(&worker->shared->slot, lease->snapshot))
        return;
    struct snapshot_lease *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL)
        return; /* goes on with the former one */
    fresh->snapshot = snapshot_slot_acquire(&worker->shared->slot);
    fresh->uses = 1;
    worker->lease = fresh;
    if (lease != NULL)
        worker_lease_release(lease);
}

struct snapshot_lease *worker_lease_acquire(struct worker *worker)
{
    worker_lease_refresh(worker);
    if (worker->lease == NULL || worker->lease->snapshot == NULL)
        return NULL;
    worker->lease->uses++;
    return worker->lease;
}

/* xoshiro256**: fast, and long enough that ids do not repeat. */
static uint64_t next_random(uint64_t state[4])
{
    uint64_t mixed = state[1] * 5;
    uint64_t result = ((mixed << 7) | (mixed >> 57)) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = (state[3] << 45) | (state[3] >> 19);
    return result;
}

/* Spreads the eight half-bytes of `bits` over eight bytes, each made its hexadecimal digit. */
static uint64_t to_hex(uint32_t bits)
{
    uint64_t spread = bits;
    spread = (spread | spread << 16) & 0x0000ffff0000ffffull;
    spread = (spread | spread << 8) & 0x00ff00ff00ff00ffull;
    spread = (spread | spread << 4) & 0x0f0f0f0f0f0f0f0full;
    uint64_t letters = ((spread + 0x0606060606060606ull) >> 4) & 0x0101010101010101ull;
    return spread + 0x3030303030303030ull + letters * ('a' - '0' - 10);
}

void worker_request_id(struct worker *worker, char out[32])
{
    for (int half = 0; half < 2; half++) {
        uint64_t bits = next_random(worker->random_state);
        uint64_t digits[2] = {to_hex((uint32_t)bits), to_hex((uint32_t)(bits >> 32))};
        memcpy(out + (ptrdiff_t)half * 16, digits, sizeof(digits));
    }
}
