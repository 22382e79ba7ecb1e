/* SPDX-License-Identifier: Apache-2.0 */
/* route_index.h -- finds the best matcher of a request without trying those of other hosts and
 * paths.
 *
 * Every matcher is filed under (host, beginning of the path) for each of its hosts and paths. Hosts
 * are found by hash: the exact name, and each "*.example.com" and "example.*" that fits. Each host
 * has a trie of path beginnings. The cost depends on the length of the request's host and path and
 * on how many matchers share both, not on the number of routes. */
#ifndef SLUICE_ROUTE_ROUTE_INDEX_H
#define SLUICE_ROUTE_ROUTE_INDEX_H

#include "base/map.h"
#include "route/route_match.h"
#include "route/route_trie.h"

struct arena;

/* Tries of the hosts of one kind, by name (without port and "*"). */
struct route_index_hosts {
    struct map tries;         /* to struct route_index_host */
    size_t shortest, longest; /* name, in bytes */
};

struct route_index {
    const struct route_matchers *matchers;
    struct route_trie trie;
    struct route_index_hosts hosts[ROUTE_HOST_KINDS];
};

/* `index` is all-zero before and goes to route_index_clear() whatever happens. `matchers` must stay
 * where it is; memory is from `arena`, but for the tables. False: out of memory. */
bool route_index_init(struct route_index *index, struct arena *arena,
                      const struct route_matchers *matchers) __attribute__((warn_unused_result));
void route_index_clear(struct route_index *index);
/* The best matcher whose criteria are all met. False: none. */
bool route_index_find(const struct route_index *index, const struct router_request *request,
                      struct route_hit *hit) __attribute__((warn_unused_result));

#endif
