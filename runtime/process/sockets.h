/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.h -- the listening sockets that the supervisor holds for all generations.
 *
 * One per worker for proxy addresses (the kernel spreads connections over them), one for each other
 * address. A generation gets a plan: which sockets it accepts on. An address that an earlier plan
 * has is not opened again, so its accept queue survives. */
#ifndef SLUICE_PROCESS_SOCKETS_H
#define SLUICE_PROCESS_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "process/gateway.h"

struct options;
struct sockets_entry;

/* Zeroed before use. */
struct sockets {
    struct sockets_entry *entries;
    size_t count;
};

/* Plans for `options`, opening what is missing. False: *error is a heap text that names the key and
 * the address, or NULL when out of memory; nothing was opened then. sockets_plan_clear() frees the
 * plan. */
bool sockets_plan(struct sockets *sockets, const struct options *options,
                  struct gateway_sockets *plan, char **error) __attribute__((warn_unused_result));
void sockets_plan_clear(struct gateway_sockets *plan);
/* Keeps the sockets of the last sockets_plan() and closes all others: for every process, so that
 * the kernel gives no more connections to a generation that still has them but does not accept. */
void sockets_keep_planned(struct sockets *sockets);
/* Closes what only the last sockets_plan() has opened. */
void sockets_drop_new(struct sockets *sockets);
/* Ends everything. */
void sockets_clear(struct sockets *sockets);
/* Closes the descriptors of this process; the sockets live on in the one that was forked. */
void sockets_forget(struct sockets *sockets);

#endif
