/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_pool.h -- connections to upstreams, and the idle ones kept for reuse.
 *
 * One pool per worker, keyed by address and TLS name. A connection is either idle in the pool or
 * busy with one request, never both. It outlives configuration changes. */
#ifndef SLUICE_PROXY_UPSTREAM_POOL_H
#define SLUICE_PROXY_UPSTREAM_POOL_H

#include "base/list.h"
#include "net/conn.h"
#include "net/loop.h"
#include "proxy/inbuf.h"
#include "proxy/sender.h"

struct request;
struct worker;

enum { UPSTREAM_POOL_BUCKETS = 256, UPSTREAM_NAME_BYTES = 256 };

/* What connections must share to be exchanged for one another. */
struct upstream_key {
    struct sockaddr_storage address;
    socklen_t address_len;
    bool is_tls;
    bool is_verified;
    int verify_depth;
    char server_name[UPSTREAM_NAME_BYTES]; /* SNI; "" without TLS */
};

struct upstream_conn {
    struct conn conn;
    struct worker *worker;
    struct request *request; /* NULL: idle */
    struct list node;        /* in its bucket while idle */
    struct list lru;         /* in pool->idle while idle, oldest first */
    struct loop_task free_task;
    struct deadline deadline; /* of the present step, or of idleness */
    struct inbuf in;
    struct sender out;
    uint64_t uses; /* requests sent on it */
    bool is_reused;
    struct upstream_key key;
};

struct upstream_pool {
    struct list buckets[UPSTREAM_POOL_BUCKETS];
    struct list idle;
    size_t idle_count;
};

void upstream_pool_init(struct upstream_pool *pool);
/* Closes all idle connections. */
void upstream_pool_clear(struct upstream_pool *pool);
/* An idle connection, now the request's; NULL: none. */
struct upstream_conn *upstream_pool_acquire(struct worker *worker, const struct upstream_key *key,
                                            struct request *request);
/* A new one, connecting; NULL: failed at once (*error is an errno; ENOMEM included). */
struct upstream_conn *upstream_pool_connect(struct worker *worker, const struct upstream_key *key,
                                            struct request *request, int *error);
/* Both messages are wholly finished and nothing is left over: keep it (or close it, if the pool is
 * full, off, or it has served enough requests). */
void upstream_pool_release(struct upstream_conn *upstream);
/* Closes it; the memory goes on the next turn of the loop. */
void upstream_pool_close(struct upstream_conn *upstream);

#endif
