/* SPDX-License-Identifier: Apache-2.0 */
/* client.h -- a connection from a client, and its requests one after another.
 *
 *   HANDSHAKE -> IDLE <-> HEAD -> BUSY -> IDLE ...      LINGER: drains what the client still sends
 *                                  |-> LINGER -> closed
 *
 * Owned by the worker's list; client_close() is the only end. Pipelined bytes wait in the block. */
#ifndef SLUICE_PROXY_CLIENT_H
#define SLUICE_PROXY_CLIENT_H

#include "net/conn.h"
#include "proxy/request.h"

enum client_state {
    CLIENT_HANDSHAKE,
    CLIENT_IDLE, /* between requests */
    CLIENT_HEAD, /* part of a head has arrived */
    CLIENT_BUSY, /* a request is on its way */
    CLIENT_LINGER,
    CLIENT_CLOSED,
};

struct client {
    struct conn conn;
    struct worker *worker;
    const struct listen_address *at;
    struct list node; /* worker->clients */
    enum client_state state;
    struct request *request; /* while BUSY */
    struct arena arena;      /* of the request */
    struct inbuf in;
    struct http1_scan scan;
    struct sender out;
    struct deadline deadline;
    struct loop_task next_task; /* starts what is pipelined, on a fresh stack */
    struct loop_task free_task;
    struct sockaddr_storage peer;
    char ip[46];
    uint16_t port;
    uint8_t ip_len;
    bool is_peer_trusted;
    uint64_t requests;
    uint64_t lingered; /* bytes thrown away */
};

/* listener_accept callback; `context` is the worker. */
void client_accept(void *context, const struct listen_address *at, int fd,
                   const struct sockaddr_storage *peer, socklen_t peer_len);
/* The request is over. */
void client_next(struct client *client, bool is_keep_alive);
void client_close(struct client *client);
/* Reads more into the block. CONN_OK: there are new bytes. */
enum conn_result client_read(struct client *client) __attribute__((warn_unused_result));
/* The request has `timeout_ms` from now for its next step towards the client; 0: no deadline. */
void client_set_deadline(struct client *client, int64_t timeout_ms);

#endif
