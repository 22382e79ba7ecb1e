/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h -- which plugin configurations run for a request, in order and by scope.
 *
 * A chain holds, for one place (a route with its service, or "everything" for requests without a
 * route), each plugin that may run there and its configurations from the most to the least specific
 * scope (reference/admin-api.md section 8). Built on the admin thread into the snapshot's arena,
 * immutable afterwards; the configurations are borrowed from the snapshot. */
#ifndef SLUICE_PLUGIN_CHAIN_H
#define SLUICE_PLUGIN_CHAIN_H

#include "plugin/plugin.h"

struct chain_step {
    const struct plugin_type *type;
    const struct plugin_config *const *candidates; /* most specific first */
    size_t count;
};

struct chain {
    const struct chain_step *steps; /* running order */
    size_t count;
    unsigned phases; /* union of the types' phases */
};

/* Builds the chain of a place out of `configs` (any order; those of other routes or services are
 * passed over). `route_id` / `service_id` absent: none. False: out of memory. */
bool chain_build(struct chain *chain, struct arena *arena, const struct plugin_set *set,
                 const struct plugin_config *const *configs, size_t count, struct slice route_id,
                 struct slice service_id) __attribute__((warn_unused_result));

/* The configuration that runs for a request of that consumer ({NULL, 0}: none); NULL: the plugin
 * does not run. */
static inline const struct plugin_config *chain_select(const struct chain_step *step,
                                                       struct slice consumer_id)
{
    for (size_t i = 0; i < step->count; i++) {
        const struct plugin_config *config = step->candidates[i];
        if (config->consumer_id.ptr == NULL ||
            (consumer_id.ptr != NULL && slice_eq(config->consumer_id, consumer_id)))
            return config;
    }
    return NULL;
}

#endif
