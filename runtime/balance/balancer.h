/* SPDX-License-Identifier: Apache-2.0 */
/* balancer.h -- what a balancing algorithm is given and what it gives back.
 *
 * Pure: no sockets, clock or threads. An algorithm sees peers as indexes 0 .. count - 1 with
 * weights; what they are (addresses of a DNS answer, targets of an upstream) is the caller's
 * business. Its state belongs to one thread and outlives the set of peers, which is known by its
 * version. */
#ifndef SLUICE_BALANCE_BALANCER_H
#define SLUICE_BALANCE_BALANCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BALANCER_MAX_PEERS = 256 }; /* those behind get no turn */
#define BALANCER_NONE SIZE_MAX     /* no peer has a weight above 0 */

/* The peers of one call; borrowed. */
struct balancer_set {
    const void *peers;
    size_t count;
    /* Weight of peer `index`, 0: gets nothing. NULL: all are equal. */
    uint32_t (*weight)(const void *peers, size_t index);
    uint64_t version; /* differs when peers or weights differ (dns_answer.version) */
};

/* The peers that one request has tried. All zero: none. Meaningful for one version only. */
struct balancer_tried {
    uint64_t bits[BALANCER_MAX_PEERS / 64];
};

static inline void balancer_tried_add(struct balancer_tried *tried, size_t index)
{
    if (index < BALANCER_MAX_PEERS)
        tried->bits[index / 64] |= UINT64_C(1) << (index % 64);
}

static inline bool balancer_tried_has(const struct balancer_tried *tried, size_t index)
{
    return index < BALANCER_MAX_PEERS && (tried->bits[index / 64] >> (index % 64) & 1) != 0;
}

#endif
