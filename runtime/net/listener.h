/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h -- listen addresses in Kong's syntax, and the sockets behind them.
 *
 * The supervisor opens one SO_REUSEPORT socket per worker and address and keeps them open for all
 * generations of the gateway process; a listener accepts on one of them. */
#ifndef SLUICE_NET_LISTENER_H
#define SLUICE_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct loop;
struct log;

struct listen_address {
    char text[128]; /* as written: "127.0.0.1:8000", "unix:/x" */
    char host[108]; /* IP, "[v6]" without brackets, or unix path */
    int port;       /* 0 for unix */
    struct sockaddr_storage address;
    socklen_t address_len;
    bool is_ssl, is_http2, is_proxy_protocol, is_reuseport, is_deferred, is_ipv6only;
    int backlog;       /* 16384 by default */
    bool is_keepalive; /* so_keepalive; 0 in the three below: the system's value */
    int keepalive_idle_s, keepalive_interval_s, keepalive_count;
};

struct listen_list {
    struct listen_address *items;
    size_t count; /* 0: off */
};

/* Parses "address:port [flags], ..." or "off" (reference/config-and-cli.md section 3). False:
 * *error is a heap text "<key> must be of form: ...". */
bool listen_parse(const char *key, const char *value, struct listen_list *out, char **error)
    __attribute__((warn_unused_result));
void listen_list_clear(struct listen_list *list);
/* Whether nobody else listens on the address. Call it once per address before the first
 * listen_open(): that one shares the port (SO_REUSEPORT) and would not notice another gateway of
 * the same user. False: *error is a heap text "127.0.0.1:8000: Address already in use". */
bool listen_probe(const struct listen_address *address, char **error)
    __attribute__((warn_unused_result));
/* Binds and listens, non-blocking and close-on-exec; -1 with *error a heap text as above. TCP
 * sockets may be opened several times (one per worker); a unix path only once (dup() it), and
 * whoever closes the last descriptor unlinks it. A path that nobody listens on any more is
 * replaced. */
int listen_open(const struct listen_address *address, char **error)
    __attribute__((warn_unused_result));

/* Called for each accepted connection: the descriptor is non-blocking, close-on-exec, TCP_NODELAY
 * and belongs to the callee. */
typedef void (*listener_accept)(void *context, const struct listen_address *at, int fd,
                                const struct sockaddr_storage *peer, socklen_t peer_len);
struct listener;
/* Accepts on `fd` (not owned). Running out of descriptors pauses accepting for 100 ms. NULL: no
 * memory. */
struct listener *listener_create(struct loop *loop, struct log *log, int fd,
                                 const struct listen_address *at, listener_accept on_accept,
                                 void *context) __attribute__((warn_unused_result));
/* Not from inside on_accept. NULL is harmless. */
void listener_destroy(struct listener *listener);

#endif
