/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h -- the one context struct of a worker thread, and what all workers share.
 *
 * A worker owns everything it touches: loop, Lua state, pools, connections. What it shares with
 * other threads is in struct worker_shared: immutable, or a module that says how it is shared. */
#ifndef SLUICE_PROXY_WORKER_H
#define SLUICE_PROXY_WORKER_H

#include <openssl/types.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/map.h"
#include "config/options.h"
#include "net/dns.h"
#include "net/listener.h"
#include "net/loop.h"
#include "pdk.h"
#include "plugin/plugin.h"
#include "proxy/counters.h"
#include "proxy/inbuf.h"
#include "proxy/trusted.h"
#include "proxy/upstream_pool.h"
#include "snapshot/snapshot.h"

/* Of one gateway process; made before the threads, immutable but for the modules that lock. */
struct gateway;

struct worker_shared {
    const struct options *options;
    struct log *error_log;
    struct log *access_log;
    const struct plugin_set *plugins;
    struct plugin_search search; /* for the workers' Lua states */
    struct snapshot_slot slot;
    struct counters *counters;
    struct dns_cache *dns_cache;
    SSL_CTX *tls_server;
    SSL_CTX *tls_client;
    struct trusted trusted;
    const char *node_id;
    struct gateway *gateway; /* for the callbacks of process/; opaque here */
};

/* Single writer (the worker), relaxed readers (status, metrics). */
struct worker_stats {
    atomic_uint_fast64_t requests, accepted, active, reading, writing, waiting;
};

/* A snapshot held by a worker: counted without atomics, because only this worker counts. */
struct snapshot_lease {
    struct snapshot *snapshot;
    unsigned uses; /* running requests, and one while it is the worker's current one */
};

enum {
    WORKER_SCRATCH_BYTES = 72 * 1024, /* a message head is made here */
    WORKER_ACCESS_BYTES = 16 * 1024,  /* access lines wait here for the end of the loop turn */
};

struct worker {
    int id;
    struct worker_shared *shared;
    const struct options *options; /* shared->options */
    struct loop *loop;
    struct snapshot_lease *lease;
    struct arena_pool arenas;
    struct block_pool blocks;
    struct plugin_worker *plugins; /* by plugin_type.index */
    struct pdk *kongs;             /* one per plugin, then one for the worker itself */
    struct worker_lua *lua;        /* NULL: no Lua plugin */
    struct list timers;            /* plugins' pending timers (pdk_timer.c) */
    struct dns_resolver *dns;
    struct upstream_pool pool;
    struct map targets; /* host -> struct target_group (target.c) */
    struct list clients;
    struct listener **listeners;
    size_t listener_count;
    bool is_draining;
    uint64_t random_state[4];
    struct buffer access; /* lines not written yet */
    struct loop_task access_task;
    struct buffer record; /* last serialised log record */
    struct worker_stats stats;
    char *scratch;
    /* The last client is gone while draining; called once, then NULL. */
    void (*on_drained)(struct worker *worker);
};

/* Starts on the worker's own thread: Lua state, plugins' init_worker, DNS. NULL: *error is a heap
 * text. `sockets`: one listening descriptor per address of options->proxy_listen, not owned. */
struct worker *worker_create(struct worker_shared *shared, int id, char **error)
    __attribute__((warn_unused_result));
bool worker_listen(struct worker *worker, const int *sockets) __attribute__((warn_unused_result));
/* Stops accepting; idle connections are closed, busy ones after their response. */
void worker_drain(struct worker *worker);
/* A client is gone: was it the last one of a draining worker? */
void worker_check_drained(struct worker *worker);
void worker_destroy(struct worker *worker);

/* The current snapshot, leased for one request; NULL before the first. */
struct snapshot_lease *worker_lease_acquire(struct worker *worker);
void worker_lease_release(struct snapshot_lease *lease);
/* Lets go of an outdated snapshot while idle. */
void worker_lease_refresh(struct worker *worker);

/* 32 lower-case hex characters, not secret. */
void worker_request_id(struct worker *worker, char out[32]);

static inline void worker_count(atomic_uint_fast64_t *counter, int64_t by)
{
    /* one writer: a plain load and store, no locked instruction */
    uint_fast64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + (uint_fast64_t)by, memory_order_relaxed);
}

#endif
