/* SPDX-License-Identifier: Apache-2.0 */
/* client.c -- accepts, reads heads, keeps connections alive, ends them.
 *
 * A malformed head is answered by local.c through an otherwise empty request, so that plugins' log
 * phase and the access log see it like any other; the connection then closes. */
#include "proxy/client.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/body.h"
#include "proxy/local.h"

enum { LINGER_MS = 2000, LINGER_MAX_BYTES = 4 * 1024 * 1024, MAX_HEAD_BYTES = HTTP1_MAX_HEAD };

static void on_ready(struct conn *conn);
static void read_head(struct client *client);

static void on_free(void *arg)
{
    struct client *client = arg;
    sender_clear(&client->out);
    free(client);
}

void client_close(struct client *client)
{
    struct worker *worker = client->worker;
    if (client->state == CLIENT_CLOSED)
        return;
    client->state = CLIENT_CLOSED;
    deadline_clear(&client->deadline);
    loop_task_cancel(&client->next_task);
    list_remove(&client->node);
    inbuf_release(&client->in, &worker->blocks);
    arena_clear(&client->arena);
    conn_close(&client->conn);
    worker_count(&worker->stats.active, -1);
    loop_defer(worker->loop, &client->free_task);
    worker_check_drained(worker);
}

void client_set_deadline(struct client *client, int64_t timeout_ms)
{
    if (timeout_ms > 0)
        deadline_set(client->worker->loop, &client->deadline,
                     loop_now_ms(client->worker->loop) + timeout_ms);
    else
        deadline_clear(&client->deadline);
}

static void on_deadline(struct deadline *deadline)
{
    struct client *client = LIST_ENTRY(deadline, struct client, deadline);
    switch (client->state) {
    case CLIENT_BUSY:
        if (client->request->body.state == BODY_READING &&
            client->request->state < REQUEST_COLLECT && !client->request->out.is_head_made) {
            client->request->body.state = BODY_BROKEN;
            local_failure(client->request, 408);
            return;
        }
        request_abort(client->request, "the client does not take its response");
        return;
    case CLIENT_HANDSHAKE:
    case CLIENT_IDLE:
    case CLIENT_HEAD:
    case CLIENT_LINGER: client_close(client); return;
    case CLIENT_CLOSED: return;
    }
}

static void on_next(void *arg)
{
    struct client *client = arg;
    if (client->state == CLIENT_IDLE)
        read_head(client);
}

void client_accept(void *context, const struct listen_address *at, int fd,
                   const struct sockaddr_storage *peer, socklen_t peer_len)
{
    struct worker *worker = context;
    struct client *client = calloc(1, sizeof(*client));
    SSL *ssl = NULL;
    if (client != NULL && at->is_ssl) {
        ssl = SSL_new(worker->shared->tls_server);
        if (ssl == NULL) {
            free(client);
            client = NULL;
        }
    }
    if (client == NULL) {
        close(fd);
        return;
    }
    client->worker = worker;
    client->at = at;
    memcpy(&client->peer, peer, peer_len);
    client->ip_len = (uint8_t)trusted_print(&client->peer, client->ip);
    client->port =
        peer->ss_family == AF_INET6  ? ntohs(((const struct sockaddr_in6 *)peer)->sin6_port)
        : peer->ss_family == AF_INET ? ntohs(((const struct sockaddr_in *)peer)->sin_port)
                                     : 0;
    client->is_peer_trusted = trusted_has(&worker->shared->trusted, &client->peer);
    arena_init(&client->arena, &worker->arenas);
    sender_reset(&client->out);
    loop_task_init(&client->next_task, on_next, client);
    loop_task_init(&client->free_task, on_free, client);
    deadline_init(&client->deadline, on_deadline);
    list_push_front(&worker->clients, &client->node);
    worker_count(&worker->stats.accepted, 1);
    worker_count(&worker->stats.active, 1);
    client->state = ssl != NULL ? CLIENT_HANDSHAKE : CLIENT_IDLE;
    if (!conn_open(&client->conn, worker->loop, fd, ssl, false, on_ready)) {
        client_close(client);
        return;
    }
    client_set_deadline(client, worker->options->client.head_timeout_ms);
    on_ready(&client->conn);
}

enum conn_result client_read(struct client *client)
{
    size_t n = 0;
    if (!inbuf_prepare(&client->in, &client->worker->blocks))
        return CONN_FAILED;
    inbuf_compact(&client->in);
    if (inbuf_room(&client->in) == 0)
        return CONN_AGAIN; /* back-pressure: whoever empties the block reads on */
    enum conn_result result =
        conn_read(&client->conn, client->in.data + client->in.end, inbuf_room(&client->in), &n);
    if (result == CONN_OK)
        client->in.end += (uint32_t)n;
    return result;
}

static struct request *request_create(struct client *client)
{
    struct request *request = arena_calloc(&client->arena, sizeof(*request));
    if (request == NULL)
        return NULL;
    request->arena = &client->arena;
    request->client = client;
    request->worker = client->worker;
    request->lease = worker_lease_acquire(client->worker);
    request->timing.start_ms = loop_now_ms(client->worker->loop);
    request->timing.start_wall_ms = loop_wall_ms(client->worker->loop);
    request->in.is_tls = client->conn.ssl != NULL;
    worker_request_id(client->worker, request->in.id);
    worker_count(&client->worker->stats.requests, 1);
    return request;
}

/* Becomes BUSY with a request whose head is `head`, or an empty one to answer `status` with. */
static void begin(struct client *client, struct request *request, const struct http1_head *head,
                  size_t head_bytes, int status)
{
    request->in.head = *head;
    request->in.head_bytes = head_bytes;
    client->request = request;
    client->state = CLIENT_BUSY;
    client->requests++;
    client->scan = (struct http1_scan){0};
    deadline_clear(&client->deadline);
    client->in.start += (uint32_t)head_bytes;
    client->in.floor = client->in.start;
    sender_reset(&client->out);
    if (status == 0) {
        request_start(request);
        return;
    }
    request->in.head.is_keep_alive = false;
    request->body.state = BODY_BROKEN; /* what follows is not known: more may be on its way */
    request_log(request, LOG_LEVEL_INFO, "client sent a request that is refused: %.*s",
                SLICE_ARG(head->error));
    local_failure(request, status);
}

static int status_of(enum http1_result result)
{
    switch (result) {
    case HTTP1_OK:
    case HTTP1_INCOMPLETE: return 0;
    case HTTP1_BAD: return 400;
    case HTTP1_LINE_TOO_LONG: return 414;
    case HTTP1_HEAD_TOO_LARGE: return 431;
    case HTTP1_BAD_VERSION: return 505;
    case HTTP1_BAD_METHOD: return 405;
    case HTTP1_BAD_CODING: return 501;
    case HTTP1_NO_MEMORY: return 500;
    }
    return 500;
}

/* Tries to make a request of what is in the block. False: more is needed. */
static bool parse_head(struct client *client)
{
    struct http1_head head = {0};
    size_t consumed = 0;
    struct slice bytes = inbuf_slice(&client->in);
    enum http1_result result =
        http1_parse_request(bytes, &client->scan, &client->arena, &head, &consumed);
    if (result == HTTP1_INCOMPLETE) {
        if (bytes.len > MAX_HEAD_BYTES)
            result = HTTP1_HEAD_TOO_LARGE;
        else
            return false;
    }
    struct request *request = request_create(client);
    if (request == NULL || request->lease == NULL) {
        client_close(client); /* out of memory: there is nothing to answer with */
        return true;
    }
    if (result != HTTP1_OK && head.error.ptr == NULL)
        head.error = SLICE("head too large");
    begin(client, request, &head, result == HTTP1_OK ? consumed : bytes.len, status_of(result));
    return true;
}

static void read_head(struct client *client)
{
    const struct options *options = client->worker->options;
    for (;;) {
        if (inbuf_len(&client->in) > 0) {
            if (client->state == CLIENT_IDLE) {
                client->state = CLIENT_HEAD;
                client_set_deadline(client, options->client.head_timeout_ms);
            }
            inbuf_make_room(&client->in);
            if (parse_head(client))
                return;
        }
        switch (client_read(client)) {
        case CONN_OK: break;
        case CONN_AGAIN:
            if (inbuf_len(&client->in) == 0)
                inbuf_release(&client->in, &client->worker->blocks);
            return;
        case CONN_EOF:
        case CONN_FAILED: client_close(client); return;
        }
    }
}

static void linger(struct client *client)
{
    for (;;) {
        client->in.start = client->in.end = client->in.floor = 0;
        switch (client_read(client)) {
        case CONN_OK:
            client->lingered += client->in.end;
            if (client->lingered <= LINGER_MAX_BYTES)
                break;
            client_close(client);
            return;
        case CONN_AGAIN: inbuf_release(&client->in, &client->worker->blocks); return;
        case CONN_EOF:
        case CONN_FAILED: client_close(client); return;
        }
    }
}

static void handshake(struct client *client)
{
    switch (conn_establish(&client->conn)) {
    case CONN_OK:
        client->state = CLIENT_IDLE;
        read_head(client);
        return;
    case CONN_AGAIN: return;
    case CONN_EOF:
    case CONN_FAILED: client_close(client); return;
    }
}

static void on_ready(struct conn *conn)
{
    struct client *client = LIST_ENTRY(conn, struct client, conn);
    switch (client->state) {
    case CLIENT_HANDSHAKE: handshake(client); return;
    case CLIENT_IDLE:
    case CLIENT_HEAD:
        if (conn->can_read || conn->has_peer_closed)
            read_head(client);
        return;
    case CLIENT_BUSY: request_on_client(client->request); return;
    case CLIENT_LINGER: linger(client); return;
    case CLIENT_CLOSED: return;
    }
}

static void start_linger(struct client *client)
{
    client->state = CLIENT_LINGER;
    conn_shutdown(&client->conn);
    client_set_deadline(client, LINGER_MS);
    linger(client);
}

void client_next(struct client *client, bool is_keep_alive)
{
    struct worker *worker = client->worker;
    const struct options *options = worker->options;
    bool is_all_read =
        client->request->body.state == BODY_NONE || client->request->body.state == BODY_DONE;
    client->request = NULL;
    arena_clear(&client->arena);
    if (!conn_is_open(&client->conn)) {
        client_close(client);
        return;
    }
    if (!is_keep_alive || !is_all_read || worker->is_draining) {
        inbuf_unhold(&client->in);
        if (is_all_read && inbuf_len(&client->in) == 0 && !client->conn.can_read) {
            conn_shutdown(&client->conn);
            client_close(client);
            return;
        }
        start_linger(client); /* closing over unread bytes would reset the response away */
        return;
    }
    inbuf_unhold(&client->in);
    client->state = CLIENT_IDLE;
    if (inbuf_len(&client->in) == 0)
        inbuf_release(&client->in, &worker->blocks);
    client_set_deadline(client, options->client.idle_timeout_ms);
    if (client->in.data != NULL || client->conn.can_read || client->conn.has_peer_closed)
        loop_defer(worker->loop, &client->next_task);
}
