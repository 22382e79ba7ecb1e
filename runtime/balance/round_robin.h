/* SPDX-License-Identifier: Apache-2.0 */
/* round_robin.h -- peers take turns in proportion to their weights, spread evenly: 5, 1, 1 gives
 * a a b a c a a rather than a a a a a b c (the "smooth" algorithm that nginx made known). */
#ifndef SLUICE_BALANCE_ROUND_ROBIN_H
#define SLUICE_BALANCE_ROUND_ROBIN_H

#include "balance/balancer.h"

struct round_robin {
    uint64_t version; /* of the set that the rest is about */
    size_t count;
    uint64_t turn;   /* equal weights: turns taken so far; it goes on when the set changes */
    int64_t *credit; /* different weights: what each peer is owed. NULL: equal weights */
};

/* `first_turn`: where to begin, so that several workers do not all start with the same peer. */
void round_robin_init(struct round_robin *state, uint64_t first_turn);
void round_robin_clear(struct round_robin *state);
/* The index of the peer whose turn it is, or BALANCER_NONE. `tried` (may be NULL): these peers are
 * passed over while there are others; when all were tried, the turn goes on as if none had been. */
size_t round_robin_next(struct round_robin *state, const struct balancer_set *set,
                        const struct balancer_tried *tried);

#endif
