/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h -- the gateway process: loads plugins, opens the store, builds the first snapshot,
 * starts the worker, admin and monitor threads, and waits for signals. */
#ifndef SLUICE_PROCESS_GATEWAY_H
#define SLUICE_PROCESS_GATEWAY_H

#include <stddef.h>

struct options;

/* Sockets that the supervisor opened: proxy[address * workers + worker] and so on. Not owned. */
struct gateway_sockets {
    int *proxy;  /* options->proxy_listen.count * options->workers */
    int *admin;  /* options->admin_listen.count */
    int *status; /* options->status_listen.count */
};

/* Runs a gateway process to its end and returns its exit status. When it accepts requests it writes
 * "ok\n" to `ready_fd`, or one line that says why it cannot; then closes it. `control_fd` is a
 * pipe: the supervisor writes one byte per order (enum gateway_order); end of file means the
 * supervisor is gone: stop at once. */
enum gateway_order {
    GATEWAY_STOP = 's',        /* at once */
    GATEWAY_DRAIN = 'q',       /* finish what runs (drain_timeout), accept nothing new */
    GATEWAY_REOPEN_LOGS = 'r', /* USR1 */
};
int gateway_run(const struct options *options, const struct gateway_sockets *sockets, int ready_fd,
                int control_fd);

#endif
