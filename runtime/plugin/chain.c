/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c -- scope precedence of plugin configurations, decided once per snapshot. */
#include "plugin/chain.h"

/* Rank of a scope, 1 is the most specific (reference/admin-api.md section 8). */
static int rank_of(const struct plugin_config *config)
{
    static const int ranks[8] = {
        /* bits: route 4, service 2, consumer 1 */
        8, 5, 7, 3, 6, 2, 4, 1,
    };
    unsigned scope = (config->route_id.ptr != NULL ? 4u : 0u) |
                     (config->service_id.ptr != NULL ? 2u : 0u) |
                     (config->consumer_id.ptr != NULL ? 1u : 0u);
    return ranks[scope];
}

static bool is_in_scope(struct slice scope, struct slice id)
{
    return scope.ptr == NULL || (id.ptr != NULL && slice_eq(scope, id));
}

/* A handler may opt out of a dimension: rows scoped by it never match then. */
static bool is_applicable(const struct plugin_config *config, struct slice route_id,
                          struct slice service_id)
{
    unsigned flags = config->type->flags;
    if (((flags & PLUGIN_NO_ROUTE) && config->route_id.ptr != NULL) ||
        ((flags & PLUGIN_NO_SERVICE) && config->service_id.ptr != NULL) ||
        ((flags & PLUGIN_NO_CONSUMER) && config->consumer_id.ptr != NULL))
        return false;
    return is_in_scope(config->route_id, route_id) && is_in_scope(config->service_id, service_id);
}

/* Inserts by rank, keeping the order of equals; `list` has room. */
static void insert_by_rank(const struct plugin_config **list, size_t count,
                           const struct plugin_config *config)
{
    size_t at = count;
    while (at > 0 && rank_of(list[at - 1]) > rank_of(config)) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = config;
}

bool chain_build(struct chain *chain, struct arena *arena, const struct plugin_set *set,
                 const struct plugin_config *const *configs, size_t count, struct slice route_id,
                 struct slice service_id)
{
    *chain = (struct chain){0};
    if (count == 0)
        return true;
    size_t *counts = arena_calloc(arena, set->count * sizeof(*counts));
    if (counts == NULL)
        return false;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (is_applicable(configs[i], route_id, service_id) &&
            counts[configs[i]->type->index]++ == 0)
            used++;
    struct chain_step *steps = arena_calloc(arena, used * sizeof(*steps) + 1);
    if (steps == NULL)
        return false;
    for (size_t t = 0; t < set->count; t++) {
        if (counts[t] == 0)
            continue;
        struct chain_step *step = &steps[chain->count++];
        const struct plugin_config **list = arena_alloc(arena, counts[t] * sizeof(*list));
        if (list == NULL)
            return false;
        step->type = set->types[t];
        for (size_t i = 0; i < count; i++)
            if (configs[i]->type->index == t && is_applicable(configs[i], route_id, service_id))
                insert_by_rank(list, step->count++, configs[i]);
        step->candidates = list;
        chain->phases |= step->type->phases;
    }
    chain->steps = steps;
    return true;
}
