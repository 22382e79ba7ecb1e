/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c -- see listener.h: accepting connections. Parsing and opening addresses is listen.c.
 *
 * The event is level-triggered, unlike those of connections: several workers and generations may
 * share one queue, and what one turn leaves there must be reported again. */
#include "net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/loop.h"

enum {
    ACCEPTS_PER_TURN = 64, /* then the connections that exist have their turn */
    PAUSE_MS = 100,        /* without descriptors or memory */
};

struct listener {
    struct event event;
    struct deadline pause;
    struct loop *loop;
    struct log *log;
    const struct listen_address *at;
    listener_accept on_accept;
    void *context;
    int fd;
    bool is_troubled; /* the pause was logged; one line until an accept succeeds again */
};

static void pause_accepting(struct listener *listener, int error)
{
    if (!listener->is_troubled) {
        const char *reason = strerrordesc_np(error);
        log_write(listener->log, LOG_LEVEL_CRIT,
                  "cannot accept connections on %s: %s; trying again every %d ms",
                  listener->at->text, reason != NULL ? reason : "unknown error", PAUSE_MS);
        listener->is_troubled = true;
    }
    /* The event is level-triggered: left in place it would fire without end. */
    event_del(&listener->event);
    deadline_set(listener->loop, &listener->pause, loop_now_ms(listener->loop) + PAUSE_MS);
}

static void on_pause_over(struct deadline *deadline)
{
    struct listener *listener = LIST_ENTRY(deadline, struct listener, pause);
    if (event_add(&listener->event, NULL) != 0)
        deadline_set(listener->loop, deadline, loop_now_ms(listener->loop) + PAUSE_MS);
}

/* Errors of one connection that died in the queue (accept(2)); the next one may be fine. */
static bool is_of_one_connection(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM ||
           error == ENETDOWN || error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
           error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH ||
           error == ETIMEDOUT;
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct listener *listener = arg;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer;
        socklen_t peer_len = sizeof(peer);
        int accepted =
            accept4(fd, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0 && errno == EAGAIN)
            return;
        if (accepted < 0 && is_of_one_connection(errno))
            continue;
        if (accepted < 0) {
            pause_accepting(listener, errno);
            return;
        }
        listener->is_troubled = false;
        listener->on_accept(listener->context, listener->at, accepted, &peer, peer_len);
    }
}

struct listener *listener_create(struct loop *loop, struct log *log, int fd,
                                 const struct listen_address *at, listener_accept on_accept,
                                 void *context)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return NULL;
    listener->loop = loop;
    listener->log = log;
    listener->fd = fd;
    listener->at = at;
    listener->on_accept = on_accept;
    listener->context = context;
    deadline_init(&listener->pause, on_pause_over);
    event_assign(&listener->event, loop_base(loop), fd, EV_READ | EV_PERSIST, on_acceptable,
                 listener);
    if (event_add(&listener->event, NULL) != 0) {
        free(listener);
        return NULL;
    }
    return listener;
}

void listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    deadline_clear(&listener->pause);
    event_del(&listener->event);
    free(listener);
}
