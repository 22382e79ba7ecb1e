/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_pool.c -- idle upstream connections: found by key, closed by age, by the peer, or when
 * there are too many (the oldest goes). */
#include "proxy/upstream_pool.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/map.h"
#include "net/tls.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"

void upstream_pool_init(struct upstream_pool *pool)
{
    for (int i = 0; i < UPSTREAM_POOL_BUCKETS; i++)
        list_init(&pool->buckets[i]);
    list_init(&pool->idle);
    pool->idle_count = 0;
}

void upstream_pool_clear(struct upstream_pool *pool)
{
    while (!list_is_empty(&pool->idle))
        upstream_pool_close(LIST_ENTRY(pool->idle.next, struct upstream_conn, lru));
}

static bool is_same(const struct upstream_key *a, const struct upstream_key *b)
{
    return a->address_len == b->address_len &&
           memcmp(&a->address, &b->address, a->address_len) == 0 && a->is_tls == b->is_tls &&
           (!a->is_tls || (a->is_verified == b->is_verified && a->verify_depth == b->verify_depth &&
                           strcmp(a->server_name, b->server_name) == 0));
}

static struct list *bucket_of(struct upstream_pool *pool, const struct upstream_key *key)
{
    uint64_t hash = map_hash(slice_make((const char *)&key->address, key->address_len));
    return &pool->buckets[hash % UPSTREAM_POOL_BUCKETS];
}

static void leave_pool(struct upstream_conn *upstream)
{
    list_remove(&upstream->node);
    list_remove(&upstream->lru);
    upstream->worker->pool.idle_count--;
}

struct upstream_conn *upstream_pool_acquire(struct worker *worker, const struct upstream_key *key,
                                            struct request *request)
{
    struct list *bucket = bucket_of(&worker->pool, key);
    for (struct list *at = bucket->next; at != bucket; at = at->next) {
        struct upstream_conn *upstream = LIST_ENTRY(at, struct upstream_conn, node);
        if (!is_same(&upstream->key, key))
            continue;
        leave_pool(upstream);
        upstream->request = request;
        upstream->is_reused = true;
        upstream->uses++;
        sender_reset(&upstream->out);
        return upstream;
    }
    return NULL;
}

static void on_free(void *arg)
{
    struct upstream_conn *upstream = arg;
    sender_clear(&upstream->out);
    free(upstream);
}

static void on_deadline(struct deadline *deadline)
{
    struct upstream_conn *upstream = LIST_ENTRY(deadline, struct upstream_conn, deadline);
    if (upstream->request == NULL)
        upstream_pool_close(upstream);
    else
        upstream_on_timeout(upstream->request);
}

/* Nothing is left to read and the peer is still there. Over TLS only a read can tell: session
 * tickets are not data. */
static bool is_quiet(struct upstream_conn *upstream)
{
    struct conn *conn = &upstream->conn;
    char byte;
    size_t n = 0;
    if (conn->has_peer_closed)
        return false;
    return !conn->can_read || conn_read(conn, &byte, 1, &n) == CONN_AGAIN;
}

static void on_ready(struct conn *conn)
{
    struct upstream_conn *upstream = LIST_ENTRY(conn, struct upstream_conn, conn);
    if (upstream->request != NULL)
        upstream_on_ready(upstream->request);
    else if (!is_quiet(upstream))
        upstream_pool_close(upstream); /* closed by the peer, or bytes nobody asked for */
}

struct upstream_conn *upstream_pool_connect(struct worker *worker, const struct upstream_key *key,
                                            struct request *request, int *error)
{
    SSL *ssl = NULL;
    *error = ENOMEM;
    if (key->is_tls) {
        const char *name = key->server_name[0] == '\0' ? NULL : key->server_name;
        ssl = tls_client_session(worker->shared->tls_client, name, key->is_verified,
                                 key->verify_depth);
        if (ssl == NULL)
            return NULL;
    }
    struct upstream_conn *upstream = calloc(1, sizeof(*upstream));
    if (upstream == NULL) {
        SSL_free(ssl);
        return NULL;
    }
    upstream->worker = worker;
    upstream->request = request;
    upstream->key = *key;
    upstream->uses = 1;
    list_init(&upstream->node);
    list_init(&upstream->lru);
    loop_task_init(&upstream->free_task, on_free, upstream);
    deadline_init(&upstream->deadline, on_deadline);
    sender_reset(&upstream->out);
    if (!conn_connect(&upstream->conn, worker->loop, (const struct sockaddr *)&key->address,
                      key->address_len, ssl, on_ready)) {
        *error = upstream->conn.error;
        on_free(upstream);
        return NULL;
    }
    return upstream;
}

void upstream_pool_release(struct upstream_conn *upstream)
{
    struct worker *worker = upstream->worker;
    const struct options *options = worker->options;
    struct upstream_pool *pool = &worker->pool;
    uint64_t most = options->upstream_keepalive.max_requests;
    upstream->request = NULL;
    inbuf_release(&upstream->in, &worker->blocks);
    if (!is_quiet(upstream) || options->upstream_keepalive.pool_size == 0 ||
        (most > 0 && upstream->uses >= most) || worker->is_draining) {
        upstream_pool_close(upstream);
        return;
    }
    if (pool->idle_count >= options->upstream_keepalive.pool_size)
        upstream_pool_close(LIST_ENTRY(pool->idle.next, struct upstream_conn, lru));
    list_push_front(bucket_of(pool, &upstream->key), &upstream->node);
    list_push_back(&pool->idle, &upstream->lru);
    pool->idle_count++;
    if (options->upstream_keepalive.idle_timeout_ms > 0)
        deadline_set(worker->loop, &upstream->deadline,
                     loop_now_ms(worker->loop) + options->upstream_keepalive.idle_timeout_ms);
    else
        deadline_clear(&upstream->deadline);
}

void upstream_pool_close(struct upstream_conn *upstream)
{
    if (!list_is_empty(&upstream->lru))
        leave_pool(upstream);
    upstream->request = NULL;
    deadline_clear(&upstream->deadline);
    inbuf_release(&upstream->in, &upstream->worker->blocks);
    conn_close(&upstream->conn);
    loop_defer(upstream->worker->loop, &upstream->free_task);
}
