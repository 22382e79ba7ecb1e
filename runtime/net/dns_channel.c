/* SPDX-License-Identifier: Apache-2.0 */
/* dns_channel.c -- see dns_channel.h. c-ares says which sockets it wants to hear of; each gets a
 * level-triggered event of its own. This is not the hot path: answers are cached. */
#include "net/dns_channel.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/log.h"
#include "net/dns.h"
#include "net/loop.h"

enum {
    TRIES = 3,
    /* c-ares doubles its time-out with each try: 1 + 2 + 4 parts of the whole. */
    PARTS = 7,
    MIN_TRY_MS = 20,
};

struct watch {
    struct list node;
    struct event event;
    ares_socket_t fd;
    short what;
};

struct dns_channel {
    ares_channel ares;
    struct loop *loop;
    struct list watches;
    struct deadline timeout;
};

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    /* c-ares may drop the socket, and with it the watch, in this call. */
    struct dns_channel *channel = arg;
    ares_process_fd(channel->ares, what & EV_READ ? fd : ARES_SOCKET_BAD,
                    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
    dns_channel_started(channel);
}

static void on_timeout(struct deadline *deadline)
{
    struct dns_channel *channel = LIST_ENTRY(deadline, struct dns_channel, timeout);
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    dns_channel_started(channel);
}

static void unwatch(struct watch *watch)
{
    if (watch->what != 0)
        event_del(&watch->event);
    list_remove(&watch->node);
    free(watch);
}

static struct watch *find_watch(struct dns_channel *channel, ares_socket_t fd)
{
    for (struct list *at = channel->watches.next; at != &channel->watches; at = at->next) {
        struct watch *watch = LIST_ENTRY(at, struct watch, node);
        if (watch->fd == fd)
            return watch;
    }
    return NULL;
}

static void on_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct dns_channel *channel = data;
    short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    struct watch *watch = find_watch(channel, fd);
    if (what == 0) {
        if (watch != NULL)
            unwatch(watch);
        return;
    }
    if (watch == NULL) {
        watch = calloc(1, sizeof(*watch));
        if (watch == NULL)
            return; /* nobody listens: the query ends with its time-out */
        watch->fd = fd;
        list_push_back(&channel->watches, &watch->node);
    }
    if (watch->what == what)
        return;
    if (watch->what != 0)
        event_del(&watch->event);
    event_assign(&watch->event, loop_base(channel->loop), fd, (short)(what | EV_PERSIST), on_socket,
                 channel);
    watch->what = event_add(&watch->event, NULL) == 0 ? what : 0;
}

struct dns_channel *dns_channel_create(struct loop *loop, const char *servers, int64_t timeout_ms,
                                       struct log *log)
{
    struct dns_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL)
        return NULL;
    channel->loop = loop;
    list_init(&channel->watches);
    deadline_init(&channel->timeout, on_timeout);
    int64_t try_ms = timeout_ms / PARTS;
    if (try_ms < MIN_TRY_MS)
        try_ms = MIN_TRY_MS;
    struct ares_options options = {
        .timeout = try_ms > INT32_MAX ? INT32_MAX : (int)try_ms,
        .tries = TRIES,
        .sock_state_cb = on_state,
        .sock_state_cb_data = channel,
    };
    int status = ares_init_options(&channel->ares, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        log_write(log, LOG_LEVEL_ERROR, "cannot start the DNS resolver: %s", ares_strerror(status));
        free(channel);
        return NULL;
    }
    if (servers != NULL && servers[0] != '\0' &&
        (!dns_servers_are_valid(servers) ||
         ares_set_servers_ports_csv(channel->ares, servers) != ARES_SUCCESS))
        log_write(log, LOG_LEVEL_ERROR,
                  "dns_resolver '%s' must be a list of ip[:port]; using /etc/resolv.conf", servers);
    return channel;
}

void dns_channel_destroy(struct dns_channel *channel)
{
    if (channel == NULL)
        return;
    ares_destroy(channel->ares);
    deadline_clear(&channel->timeout);
    while (!list_is_empty(&channel->watches))
        unwatch(LIST_ENTRY(channel->watches.next, struct watch, node));
    free(channel);
}

ares_channel dns_channel_ares(struct dns_channel *channel)
{
    return channel->ares;
}

void dns_channel_started(struct dns_channel *channel)
{
    struct timeval wait;
    if (ares_timeout(channel->ares, NULL, &wait) == NULL) {
        deadline_clear(&channel->timeout);
        return;
    }
    int64_t wait_ms = (int64_t)wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1;
    deadline_set(channel->loop, &channel->timeout, loop_now_ms(channel->loop) + wait_ms);
}
