/* SPDX-License-Identifier: Apache-2.0 */
/* status_server.h -- the Status API (reference/admin-api.md section 11): whether this node lives
 * and may receive traffic. Lives on the monitor thread's loop, never touches the store, never
 * blocks. */
#ifndef SLUICE_ADMIN_STATUS_SERVER_H
#define SLUICE_ADMIN_STATUS_SERVER_H

#include <jansson.h>
#include <openssl/types.h>
#include <stdbool.h>

struct log;
struct loop;
struct options;

/* Called on the loop's thread. Everything is borrowed and must outlive the server. */
struct status_callbacks {
    struct log *error_log, *access_log;
    SSL_CTX *tls; /* for the addresses with `ssl`; NULL if there are none */
    /* As fill_status of struct admin_config. NULL: nothing to add. */
    void (*fill_status)(void *context, json_t *status);
    /* NULL when the node may receive traffic, else the reason (static text, one of section 11). */
    const char *(*not_ready)(void *context);
    /* GET /metrics: a new heap text in the exposition format; NULL: the path answers 404. The
     * member itself may be NULL too. */
    char *(*metrics)(void *context);
    void *context;
};

struct status_server;

/* `sockets`: one per options->status_listen.items; stays the caller's. NULL: *error is a heap text.
 */
struct status_server *status_server_create(struct loop *loop, const struct options *options,
                                           const int *sockets,
                                           const struct status_callbacks *callbacks, char **error)
    __attribute__((warn_unused_result));
void status_server_destroy(struct status_server *server);

#endif
