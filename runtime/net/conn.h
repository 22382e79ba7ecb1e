/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h -- a non-blocking stream socket, plain or TLS, registered once and edge-triggered.
 *
 * Embedded in its owner (a client connection, an upstream connection). The owner's callback is told
 * that something may have become possible and then reads and writes until CONN_AGAIN. A plain
 * socket that gave less than was asked for is taken to be drained unless the peer has closed its
 * side, which saves the read that would say EAGAIN. */
#ifndef SLUICE_NET_CONN_H
#define SLUICE_NET_CONN_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "net/loop.h"

enum conn_result {
    CONN_OK,    /* *bytes were moved, at least one */
    CONN_AGAIN, /* nothing now; the callback will come */
    CONN_EOF,   /* the peer closed its side (TLS: by close_notify) */
    CONN_FAILED /* reset, TLS failure, EOF without close_notify while reading TLS: see error */
};

enum {
    CONN_RECHECK_MS = 250, /* see `recheck` */
    CONN_TLS_RECORD_BYTES =
        16384, /* small parts are gathered up to this size (RFC 8446 section 5.1) */
};

struct conn {
    struct event event;
    struct loop *loop;
    struct ssl_st *ssl; /* NULL: plain */
    void (*on_ready)(struct conn *conn);
    int fd;                  /* -1: closed */
    int error;               /* errno of the failure; 0 with TLS: see conn_error_text() */
    unsigned long tls_error; /* OpenSSL's code of the failure; 0: not one of OpenSSL's */
    struct deadline recheck; /* looks for a reset that came together with the last data (conn.c) */
    bool can_read;           /* a read may give something */
    bool can_write;          /* a write may take something */
    bool has_peer_closed;
    bool is_connecting;
    bool is_handshaking;
    bool has_read_failed, has_write_failed; /* for good; a plain socket may fail in one direction */
};

/* Takes the descriptor `fd`. For a client socket pass is_connecting false. False: out of memory;
 * the descriptor is then closed. `ssl` (may be NULL) is taken too. */
bool conn_open(struct conn *conn, struct loop *loop, int fd, struct ssl_st *ssl, bool is_connecting,
               void (*on_ready)(struct conn *conn)) __attribute__((warn_unused_result));
/* Begins a TCP connection. False with conn->error set if it failed at once. `ssl` may be NULL; it
 * is taken even on failure. */
bool conn_connect(struct conn *conn, struct loop *loop, const struct sockaddr *address,
                  socklen_t address_len, struct ssl_st *ssl, void (*on_ready)(struct conn *conn))
    __attribute__((warn_unused_result));
/* Drives connect() and the TLS handshake. CONN_OK: ready for data; CONN_AGAIN: wait; CONN_FAILED.
 */
enum conn_result conn_establish(struct conn *conn) __attribute__((warn_unused_result));
enum conn_result conn_read(struct conn *conn, void *into, size_t room, size_t *bytes)
    __attribute__((warn_unused_result));
/* After CONN_FAILED a plain connection may still be read: the peer may have answered before it
 * closed. With TLS, after CONN_AGAIN the same bytes must be offered again first (more may follow
 * them): their record may already be on its way. */
enum conn_result conn_writev(struct conn *conn, const struct iovec *parts, int count, size_t *bytes)
    __attribute__((warn_unused_result));
/* Ends our side: TLS close_notify, then shutdown(SHUT_WR). */
void conn_shutdown(struct conn *conn);
/* Closes at once; safe inside the callback and twice. */
void conn_close(struct conn *conn);
static inline bool conn_is_open(const struct conn *conn)
{
    return conn->fd >= 0;
}
/* Text for conn->error, for the log. */
const char *conn_error_text(const struct conn *conn);

#endif
