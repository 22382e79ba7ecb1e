/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h -- HTTP for the Admin and Status API: libevent's evhttp on the caller's loop.
 *
 * Off the proxy path, so the library's simplicity counts for more than its speed. Heads, bodies and
 * idle times are bounded. A request becomes a struct call, which is answered before the handler
 * returns. */
#ifndef SLUICE_ADMIN_TRANSPORT_H
#define SLUICE_ADMIN_TRANSPORT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

struct call;
struct listen_list;
struct log;
struct loop;

enum { TRANSPORT_TIMEOUT_S = 60, TRANSPORT_MAX_HEAD_BYTES = 32768 };

/* Everything is borrowed and must outlive the transport. */
struct transport_config {
    const struct listen_list *addresses;
    const int *sockets;      /* one per address */
    SSL_CTX *tls;            /* for addresses with `ssl` */
    uint64_t max_body_bytes; /* 0: unlimited */
    bool has_server;         /* send Server: sluice/<version> */
    bool has_latency;        /* send X-Kong-Admin-Latency */
    struct log *error_log, *access_log;
    /* Must answer the call. */
    void (*handle)(void *context, struct call *call);
    void *context;
};

struct transport;

/* Copies `config` and accepts at once. NULL: *error is a heap text. */
struct transport *transport_create(struct loop *loop, const struct transport_config *config,
                                   char **error) __attribute__((warn_unused_result));
/* Closes open connections, not the sockets. NULL is allowed. */
void transport_destroy(struct transport *transport);

#endif
