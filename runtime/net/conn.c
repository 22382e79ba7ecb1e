/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c -- see conn.h. One libevent event per connection:
 * EV_READ|EV_WRITE|EV_CLOSED|EV_PERSIST|EV_ET, added once. The system calls of a request are its
 * reads and writes and nothing else.
 *
 * Edge-triggered rules:
 * - Registering reports what is ready at that moment as a first edge, so nothing is lost between
 *   accept() or connect() and event_add().
 * - can_read and can_write are cleared only when the kernel has said that there is no more: EAGAIN,
 *   or a plain read or write that moved less than asked (epoll(7), question 9).
 * - A short read says nothing about a FIN behind the data: the edge has already been reported. The
 *   event then carries EV_CLOSED, and has_peer_closed makes us read on to the end of file.
 * - A reset (EPOLLERR) comes as EV_READ|EV_WRITE without EV_CLOSED, like ordinary readiness, so a
 *   reset that was there before its data were read cannot be told from it. A read that finds it
 *   reports it; after a short read nobody would read again. Therefore a short read sets `recheck`:
 * a connection silent for CONN_RECHECK_MS is peeked at once. Setting it on a busy connection is one
 *   store.
 * - TLS is read until SSL_ERROR_WANT_READ: OpenSSL buffers more than it returns. */
#include "net/conn.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "net/loop.h"

static enum conn_result fail(struct conn *conn, int error)
{
    conn->error = error;
    conn->has_read_failed = conn->has_write_failed = true;
    conn->can_read = conn->can_write = false;
    return CONN_FAILED;
}

/* A plain peer that refuses our bytes may have sent some before: a server that answers 413 at once
 * and closes. Reading goes on and finds them, or the end. */
static enum conn_result fail_writing(struct conn *conn, int error)
{
    conn->error = error;
    conn->has_write_failed = true;
    conn->can_write = false;
    conn->can_read = conn->has_peer_closed = true;
    return CONN_FAILED;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct conn *conn = arg;
    if (what & EV_READ)
        conn->can_read = true;
    if (what & EV_WRITE)
        conn->can_write = true;
    if (what & EV_CLOSED)
        conn->can_read = conn->has_peer_closed = true;
    conn->on_ready(conn); /* may close and free the connection */
}

static void on_recheck(struct deadline *deadline)
{
    struct conn *conn = LIST_ENTRY(deadline, struct conn, recheck);
    char byte;
    if (conn->can_read)
        return;
    ssize_t n = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0)
        fail(conn, errno); /* the kernel tells it once; conn_read() repeats it */
    if (n <= 0)
        conn->has_peer_closed = true;
    conn->can_read = true;
    conn->on_ready(conn);
}

static void reset(struct conn *conn, struct loop *loop, struct ssl_st *ssl,
                  void (*on_ready)(struct conn *conn))
{
    *conn = (struct conn){.loop = loop, .ssl = ssl, .on_ready = on_ready, .fd = -1};
    deadline_init(&conn->recheck, on_recheck);
}

bool conn_open(struct conn *conn, struct loop *loop, int fd, struct ssl_st *ssl, bool is_connecting,
               void (*on_ready)(struct conn *conn))
{
    reset(conn, loop, ssl, on_ready);
    conn->fd = fd;
    conn->is_connecting = is_connecting;
    conn->is_handshaking = ssl != NULL;
    /* Most clients have sent their request by the time they are accepted. */
    conn->can_read = conn->can_write = !is_connecting;
    event_assign(&conn->event, loop_base(loop), fd,
                 EV_READ | EV_WRITE | EV_CLOSED | EV_PERSIST | EV_ET, on_event, conn);
    if (ssl != NULL) {
        SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
        if (SSL_is_server(ssl))
            SSL_set_accept_state(ssl);
        else
            SSL_set_connect_state(ssl);
        if (SSL_set_fd(ssl, fd) != 1)
            goto no_memory;
    }
    if (event_add(&conn->event, NULL) == 0)
        return true;
no_memory:
    fail(conn, ENOMEM);
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    close(conn->fd);
    conn->fd = -1;
    return false;
}

bool conn_connect(struct conn *conn, struct loop *loop, const struct sockaddr *address,
                  socklen_t address_len, struct ssl_st *ssl, void (*on_ready)(struct conn *conn))
{
    reset(conn, loop, NULL, on_ready);
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        goto fail;
    const int one = 1;
    if (address->sa_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* slower without */
    bool is_connecting = false;
    if (connect(fd, address, address_len) != 0) {
        /* Registered after connect(): epoll reports a socket that was never connected as hung up.
         */
        if (errno != EINPROGRESS && errno != EINTR)
            goto fail;
        is_connecting = true;
    }
    return conn_open(conn, loop, fd, ssl, is_connecting, on_ready);
fail:
    fail(conn, errno);
    if (fd >= 0)
        close(fd);
    SSL_free(ssl);
    return false;
}

/* --- TLS --- */

/* What the result `ret` (<= 0) of an SSL_ call means for the connection. */
static enum conn_result tls_result(struct conn *conn, int ret)
{
    int saved = errno;
    switch (SSL_get_error(conn->ssl, ret)) {
    case SSL_ERROR_WANT_READ: conn->can_read = false; return CONN_AGAIN;
    case SSL_ERROR_WANT_WRITE: conn->can_write = false; return CONN_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return CONN_EOF;
    case SSL_ERROR_SYSCALL: return fail(conn, saved != 0 ? saved : ECONNRESET);
    default:
        /* The first entry is the cause; a truncated stream is SSL_R_UNEXPECTED_EOF_WHILE_READING.
         */
        conn->tls_error = ERR_get_error();
        ERR_clear_error();
        return fail(conn, conn->tls_error == 0 ? EPROTO : 0);
    }
}

static enum conn_result tls_read(struct conn *conn, void *into, size_t room, size_t *bytes)
{
    ERR_clear_error();
    errno = 0;
    int ret = SSL_read_ex(conn->ssl, into, room, bytes);
    return ret == 1 ? CONN_OK : tls_result(conn, ret);
}

/* Copies up to CONN_TLS_RECORD_BYTES from `parts` on, beginning `offset` bytes into the first. */
static size_t gather(const struct iovec *parts, int count, size_t offset, char *record)
{
    size_t len = 0;
    for (int i = 0; i < count && len < CONN_TLS_RECORD_BYTES; i++) {
        size_t n = parts[i].iov_len - offset;
        if (n > CONN_TLS_RECORD_BYTES - len)
            n = CONN_TLS_RECORD_BYTES - len;
        if (n > 0)
            memcpy(record + len, (const char *)parts[i].iov_base + offset, n);
        len += n;
        offset = 0;
    }
    return len;
}

/* Every record holds the next CONN_TLS_RECORD_BYTES however they are cut into parts: a record that
 * OpenSSL could not send must be offered again with at least the same length. */
static enum conn_result tls_writev(struct conn *conn, const struct iovec *parts, int count,
                                   size_t *bytes)
{
    char record[CONN_TLS_RECORD_BYTES];
    size_t offset = 0; /* into parts[0] */
    size_t total = 0;
    for (;;) {
        while (count > 0 && offset >= parts[0].iov_len) {
            offset -= parts[0].iov_len;
            parts++;
            count--;
        }
        if (count == 0)
            break;
        const char *data = (const char *)parts[0].iov_base + offset;
        size_t len = parts[0].iov_len - offset;
        if (len >= CONN_TLS_RECORD_BYTES) {
            len = CONN_TLS_RECORD_BYTES;
        } else if (count > 1) {
            len = gather(parts, count, offset, record);
            data = record;
        }
        size_t written = 0;
        ERR_clear_error();
        errno = 0;
        int ret = SSL_write_ex(conn->ssl, data, len, &written);
        if (ret != 1) {
            enum conn_result result = tls_result(conn, ret);
            if (result != CONN_AGAIN || total == 0)
                return result == CONN_EOF ? fail(conn, EPIPE) : result;
            break;
        }
        total += written;
        offset += written; /* may lie behind several parts: skipped above */
    }
    *bytes = total;
    return total > 0 ? CONN_OK : CONN_AGAIN;
}

enum conn_result conn_establish(struct conn *conn)
{
    if (conn->has_write_failed)
        return CONN_FAILED;
    if (conn->is_connecting) {
        if (!conn->can_read && !conn->can_write)
            return CONN_AGAIN;
        int error = 0;
        socklen_t len = sizeof(error);
        if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
            error = errno;
        if (error != 0)
            return fail(conn, error);
        conn->is_connecting = false;
    }
    if (conn->is_handshaking) {
        if (!conn->can_read && SSL_want_read(conn->ssl))
            return CONN_AGAIN;
        ERR_clear_error();
        errno = 0;
        int ret = SSL_do_handshake(conn->ssl);
        if (ret != 1) {
            enum conn_result result = tls_result(conn, ret);
            return result == CONN_EOF ? fail(conn, ECONNRESET) : result;
        }
        conn->is_handshaking = false;
        conn->can_read = true; /* OpenSSL may have read more than the handshake */
    }
    return CONN_OK;
}

/* --- data --- */

enum conn_result conn_read(struct conn *conn, void *into, size_t room, size_t *bytes)
{
    assert(room > 0);
    *bytes = 0;
    if (conn->has_read_failed)
        return CONN_FAILED;
    if (!conn->can_read || conn->is_connecting || conn->is_handshaking)
        return CONN_AGAIN;
    if (conn->ssl != NULL)
        return tls_read(conn, into, room, bytes);
    ssize_t n;
    do {
        n = recv(conn->fd, into, room, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        if ((size_t)n < room && !conn->has_peer_closed) {
            conn->can_read = false;
            deadline_set(conn->loop, &conn->recheck, loop_now_ms(conn->loop) + CONN_RECHECK_MS);
        }
        *bytes = (size_t)n;
        return CONN_OK;
    }
    if (n == 0) {
        conn->has_peer_closed = true;
        return CONN_EOF;
    }
    if (errno != EAGAIN)
        return fail(conn, errno);
    conn->can_read = false;
    return CONN_AGAIN;
}

enum conn_result conn_writev(struct conn *conn, const struct iovec *parts, int count, size_t *bytes)
{
    *bytes = 0;
    if (conn->has_write_failed)
        return CONN_FAILED;
    if (!conn->can_write || conn->is_connecting || conn->is_handshaking)
        return CONN_AGAIN;
    if (conn->ssl != NULL)
        return tls_writev(conn, parts, count, bytes);
    size_t offered = 0;
    for (int i = 0; i < count; i++)
        offered += parts[i].iov_len;
    struct msghdr message = {.msg_iovlen = (size_t)count};
    memcpy(&message.msg_iov, &parts,
           sizeof(parts)); /* the member lacks a const that sendmsg() keeps */
    ssize_t n;
    do {
        n = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN)
        return fail_writing(conn, errno);
    if (n < 0 || (size_t)n < offered)
        conn->can_write = false;
    if (n <= 0)
        return CONN_AGAIN;
    *bytes = (size_t)n;
    return CONN_OK;
}

/* --- the end --- */

/* Best effort: a peer that does not take the few bytes of close_notify loses nothing by it. After a
 * failure or before the end of the handshake SSL_shutdown() must not be called. */
static void tls_goodbye(struct conn *conn)
{
    if (conn->ssl == NULL || conn->is_connecting || conn->is_handshaking ||
        conn->has_write_failed || (SSL_get_shutdown(conn->ssl) & SSL_SENT_SHUTDOWN) != 0)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(conn->ssl);
    ERR_clear_error();
}

void conn_shutdown(struct conn *conn)
{
    if (conn->fd < 0)
        return;
    tls_goodbye(conn);
    (void)shutdown(conn->fd, SHUT_WR);
}

void conn_close(struct conn *conn)
{
    if (conn->fd < 0)
        return;
    deadline_clear(&conn->recheck);
    event_del(&conn->event);
    tls_goodbye(conn);
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    close(conn->fd);
    conn->fd = -1;
    conn->can_read = conn->can_write = false;
}

const char *conn_error_text(const struct conn *conn)
{
    if (conn->tls_error != 0) {
        const char *reason = ERR_reason_error_string(conn->tls_error);
        return reason != NULL ? reason : "TLS failure";
    }
    /* Not strerror(): its buffer is shared by all threads. */
    const char *text = strerrordesc_np(conn->error);
    return text != NULL ? text : "unknown error";
}
