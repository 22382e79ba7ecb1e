/* SPDX-License-Identifier: Apache-2.0 */
/* round_robin.c -- see round_robin.h. Equal weights, the ordinary case, are a counter. Different
 * ones are credits: in each turn every peer earns its weight, the richest is picked and pays what
 * all have earned. The sum of the credits stays 0, so they are bounded by the sum of the weights.
 */
#include "balance/round_robin.h"

#include <stdlib.h>

void round_robin_init(struct round_robin *state, uint64_t first_turn)
{
    *state = (struct round_robin){.turn = first_turn};
}

void round_robin_clear(struct round_robin *state)
{
    free(state->credit);
    *state = (struct round_robin){0};
}

static uint32_t weight_of(const struct balancer_set *set, size_t index)
{
    return set->weight != NULL ? set->weight(set->peers, index) : 1;
}

static bool has_equal_weights(const struct balancer_set *set, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (weight_of(set, i) != weight_of(set, 0))
            return false;
    }
    return count == 0 || weight_of(set, 0) > 0;
}

static bool is_passed_over(const struct balancer_tried *tried, size_t index)
{
    return tried != NULL && balancer_tried_has(tried, index);
}

static size_t next_equal(struct round_robin *state, const struct balancer_tried *tried)
{
    for (size_t i = 0; i < state->count; i++) {
        size_t index = (size_t)(state->turn++ % state->count);
        if (!is_passed_over(tried, index))
            return index;
    }
    return BALANCER_NONE;
}

static size_t next_weighted(struct round_robin *state, const struct balancer_set *set,
                            const struct balancer_tried *tried)
{
    size_t best = BALANCER_NONE;
    int64_t total = 0;
    for (size_t i = 0; i < state->count; i++) {
        int64_t weight = weight_of(set, i);
        if (weight == 0 || is_passed_over(tried, i))
            continue;
        state->credit[i] += weight;
        total += weight;
        if (best == BALANCER_NONE || state->credit[i] > state->credit[best])
            best = i;
    }
    if (best != BALANCER_NONE)
        state->credit[best] -= total;
    return best;
}

/* Begins with a new set. The turn of equal weights goes on; credits start from nothing, some turns
 * ahead as `turn` says. Out of memory: the weights are ignored until the set changes again. */
static void adopt(struct round_robin *state, const struct balancer_set *set, size_t count)
{
    free(state->credit);
    state->credit = NULL;
    state->version = set->version;
    state->count = count;
    if (has_equal_weights(set, count))
        return;
    state->credit = calloc(count, sizeof(*state->credit));
    for (uint64_t i = 0; state->credit != NULL && i < state->turn % count; i++)
        (void)next_weighted(state, set, NULL);
}

static size_t next(struct round_robin *state, const struct balancer_set *set,
                   const struct balancer_tried *tried)
{
    return state->credit != NULL ? next_weighted(state, set, tried) : next_equal(state, tried);
}

size_t round_robin_next(struct round_robin *state, const struct balancer_set *set,
                        const struct balancer_tried *tried)
{
    size_t count = set->count < BALANCER_MAX_PEERS ? set->count : BALANCER_MAX_PEERS;
    if (state->version != set->version || state->count != count)
        adopt(state, set, count);
    if (count == 0)
        return BALANCER_NONE;
    size_t index = next(state, set, tried);
    return index == BALANCER_NONE && tried != NULL ? next(state, set, NULL) : index;
}
