/* SPDX-License-Identifier: Apache-2.0 */
/* server.h -- the Admin API: entities over HTTP, as reference/admin-api.md describes it.
 *
 * Lives on the admin thread's loop and may block on the store. One request is handled at a time,
 * from its last byte to its answer, so a write and the change that it makes to the data plane are
 * one step. */
#ifndef SLUICE_ADMIN_SERVER_H
#define SLUICE_ADMIN_SERVER_H

#include <jansson.h>
#include <openssl/types.h>
#include <stdbool.h>

struct log;
struct loop;
struct options;
struct plugin_set;
struct schema;
struct store;

/* Everything is borrowed and must outlive the server. */
struct admin_config {
    const struct options *options;
    struct store *store;
    const struct plugin_set *plugins;
    struct log *error_log, *access_log; /* access_log: a combined-format line per request */
    const int *sockets; /* one per options->admin_listen.items; stays the caller's */
    SSL_CTX *tls;       /* for the addresses with `ssl`; NULL if there are none */
    /* Called after a write was committed and before it is answered: makes the data plane see it.
     * `row` is borrowed, NULL when the row was deleted (rows deleted with it by cascade are not
     * reported: schema->on_delete of its children tells which). False: the request is answered with
     * 500. */
    bool (*on_change)(void *context, const struct schema *schema, const char *id,
                      const json_t *row);
    /* Called after POST /config has replaced everything (database=off). False: 500. */
    bool (*on_replace)(void *context);
    /* Completes the body of /status: members of its object "server", and database.reachable (the
     * object "database" is there unless database=off). NULL: nothing to add. */
    void (*fill_status)(void *context, json_t *status);
    void *context;
};

struct admin_server;

/* Copies `config`, not what it points to. Accepts at once. NULL: *error is a heap text. */
struct admin_server *admin_server_create(struct loop *loop, const struct admin_config *config,
                                         char **error) __attribute__((warn_unused_result));
/* Drops open connections. On the loop's thread, or when the loop does not run. NULL is allowed. */
void admin_server_destroy(struct admin_server *server);

/* For the handlers: every path pattern, sorted. New reference. */
json_t *admin_server_endpoints(const struct admin_server *server);
/* For the handlers, with database=off: what names the configuration that runs, CONFIG_HASH_BYTES.
 */
char *admin_server_config_hash(struct admin_server *server);

#endif
