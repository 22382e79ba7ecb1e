/* SPDX-License-Identifier: Apache-2.0 */
/* router.c -- puts the parts together: ordered matchers, their index, and what the winner
 * captured. */
#include "route/router.h"

#include <stdlib.h>

#include "base/arena.h"
#include "config/entity.h"
#include "route/route_index.h"

_Static_assert((int)ROUTER_MAX_CAPTURES == (int)ROUTE_REGEX_MAX_GROUPS, "all groups are reported");

struct router {
    struct arena arena;
    struct route_matchers matchers;
    struct route_index index;
};

struct router *router_create(struct route *const *routes, size_t count, struct log *log)
{
    struct router *router = calloc(1, sizeof(*router));
    if (router == NULL)
        return NULL;
    arena_init(&router->arena, NULL);
    struct route_regex_set *regexes = route_regex_set_create(&router->arena);
    if (regexes == NULL ||
        !route_matchers_init(&router->matchers, &router->arena, routes, count, regexes, log) ||
        !route_index_init(&router->index, &router->arena, &router->matchers)) {
        router_destroy(router);
        return NULL;
    }
    return router;
}

void router_destroy(struct router *router)
{
    if (router == NULL)
        return;
    route_index_clear(&router->index);
    arena_clear(&router->arena);
    free(router);
}

static bool take_captures(const struct route_hit *hit, struct slice path, struct arena *arena,
                          struct router_match *match)
{
    const struct route_regex_groups *groups = &hit->groups;
    match->captures = arena_calloc(arena, groups->count * sizeof(*match->captures));
    if (match->captures == NULL)
        return false;
    match->capture_count = groups->count;
    for (size_t i = 0; i < groups->count; i++) {
        match->captures[i].name = route_regex_group_name(hit->regex, i);
        if (groups->begin[i] <= groups->end[i])
            match->captures[i].value =
                slice_make(path.ptr + groups->begin[i], groups->end[i] - groups->begin[i]);
    }
    return true;
}

bool router_match(const struct router *router, const struct router_request *request,
                  struct arena *arena, struct router_match *match)
{
    struct route_hit hit;
    if (!route_index_find(&router->index, request, &hit))
        return false;
    const struct route_criteria *criteria = hit.matcher->criteria;
    *match = (struct router_match){
        .route = criteria->route,
        .index = criteria->index,
        .path_len = hit.path_len,
        .has_path = criteria->route->path_count > 0,
    };
    return hit.regex == NULL || take_captures(&hit, request->path, arena, match);
}
