/* SPDX-License-Identifier: Apache-2.0 */
/* route_index.c -- see route_index.h.
 *
 * The answer is the one that trying all matchers in order would give. Places may be visited in any
 * order: the best rank found so far ends every list of places (they are sorted) and whole chains
 * (a node knows the best rank above it), and only a better rank is tested at all. */
#include "route/route_index.h"

#include <stdlib.h>

#include "base/arena.h"
#include "config/entity.h"

enum {
    ANY_HOST = 0, /* trie of the matchers without hosts */
    /* A matcher of more hosts times paths is filed under what its paths have in common. */
    MAX_PAIRS = 64,
};

struct route_index_host {
    uint32_t trie;
};

/* ---------------------------------------------------------------------------------------- build */

struct build {
    struct route_index *index;
    struct arena *arena;
    struct route_trie_key *keys;
    size_t count, capacity;
    uint32_t trie_count;
};

static bool add_key(struct build *build, struct route_trie_key key)
{
    if (build->count == build->capacity) {
        size_t capacity = build->capacity == 0 ? 256 : 2 * build->capacity;
        struct route_trie_key *keys = realloc(build->keys, capacity * sizeof(*keys));
        if (keys == NULL)
            return false;
        build->keys = keys;
        build->capacity = capacity;
    }
    build->keys[build->count++] = key;
    return true;
}

/* The trie of a host, made at its first use. */
static bool find_trie(struct build *build, const struct route_host *host, uint32_t *trie)
{
    struct route_index_hosts *hosts = &build->index->hosts[host->kind];
    struct route_index_host *found = map_get(&hosts->tries, host->name);
    if (found == NULL) {
        found = arena_alloc(build->arena, sizeof(*found));
        if (found == NULL || !map_set(&hosts->tries, host->name, found))
            return false;
        found->trie = build->trie_count++;
        size_t len = host->name.len;
        hosts->longest = len > hosts->longest ? len : hosts->longest;
        hosts->shortest = hosts->tries.count == 1 || len < hosts->shortest ? len : hosts->shortest;
    }
    *trie = found->trie;
    return true;
}

static size_t path_count(const struct route_matcher *matcher)
{
    return matcher->regex_count > 0 ? matcher->regex_count : matcher->path_count;
}

/* What a path begins with that path `i` of the matcher matches. */
static struct slice beginning(const struct route_matcher *matcher, size_t i)
{
    return matcher->regex_count > 0 ? route_regex_literal(matcher->regexes[i]) : matcher->paths[i];
}

static struct slice common_beginning(const struct route_matcher *matcher)
{
    struct slice common = beginning(matcher, 0);
    for (size_t i = 1; i < path_count(matcher); i++) {
        struct slice next = beginning(matcher, i);
        size_t len = 0;
        while (len < common.len && len < next.len && common.ptr[len] == next.ptr[len])
            len++;
        common.len = len;
    }
    return common;
}

/* Files the matcher in one trie, `key` already naming that. */
static bool add_paths(struct build *build, const struct route_matcher *matcher, size_t host_count,
                      struct route_trie_key key)
{
    size_t paths = path_count(matcher);
    key.text = SLICE("");
    if (paths == 0)
        return add_key(build, key);
    if (host_count > 1 && paths > 1 && host_count * paths > MAX_PAIRS) {
        key.text = common_beginning(matcher);
        return add_key(build, key);
    }
    key.place.is_path_known = matcher->regex_count == 0;
    for (size_t i = 0; i < paths; i++) {
        key.text = beginning(matcher, i);
        if (!add_key(build, key))
            return false;
    }
    return true;
}

static bool add_matcher(struct build *build, uint32_t rank)
{
    const struct route_matcher *matcher = &build->index->matchers->items[rank];
    const struct route *route = matcher->criteria->route;
    struct route_trie_key key = {.trie = ANY_HOST, .place = {.rank = rank}};
    if (route->host_count == 0)
        return add_paths(build, matcher, 1, key);
    for (size_t i = 0; i < route->host_count; i++) {
        struct route_host host = route_matcher_host(route->hosts[i]);
        if (!find_trie(build, &host, &key.trie))
            return false;
        key.place.has_port = host.has_port;
        key.place.port = host.port;
        if (!add_paths(build, matcher, route->host_count, key))
            return false;
    }
    return true;
}

bool route_index_init(struct route_index *index, struct arena *arena,
                      const struct route_matchers *matchers)
{
    struct build build = {.index = index, .arena = arena, .trie_count = ANY_HOST + 1};
    index->matchers = matchers;
    bool is_done = matchers->count <= ROUTE_TRIE_MAX_KEYS;
    for (size_t i = 0; is_done && i < matchers->count; i++)
        is_done = add_matcher(&build, (uint32_t)i);
    is_done =
        is_done && route_trie_init(&index->trie, arena, build.trie_count, build.keys, build.count);
    free(build.keys);
    return is_done;
}

void route_index_clear(struct route_index *index)
{
    for (size_t i = 0; i < ROUTE_HOST_KINDS; i++)
        map_clear(&index->hosts[i].tries);
}

/* ----------------------------------------------------------------------------------------- find */

struct search {
    const struct route_index *index;
    const struct router_request *request;
    struct route_hit *hit;
    uint32_t best; /* rank of *hit; UINT32_MAX: nothing yet */
};

static bool has_port(const struct router_request *request, const struct route_place *place)
{
    int port = request->port != 0 ? request->port : request->listener_port;
    return !place->has_port || port == place->port;
}

static void search_trie(struct search *search, uint32_t root)
{
    const struct route_trie_node *node =
        route_trie_find(&search->index->trie, root, search->request->path);
    for (; node != NULL && node->best < search->best; node = node->up) {
        const struct route_place *place = node->places, *end = place + node->place_count;
        for (; place < end && place->rank < search->best; place++) {
            if (has_port(search->request, place) &&
                route_match_test(&search->index->matchers->items[place->rank], search->request,
                                 place->is_path_known, search->hit))
                search->best = place->rank;
        }
    }
}

static void search_host(struct search *search, enum route_host_kind kind, struct slice name)
{
    const struct route_index_host *host = map_get(&search->index->hosts[kind].tries, name);
    if (host != NULL)
        search_trie(search, host->trie);
}

/* A wildcard is a whole label, so only the parts of the host that begin, or end, with a dot can
 * name one; those longer than all names are passed over, which bounds the work for a long host. */
static void search_wildcards(struct search *search, struct slice host)
{
    const struct route_index_hosts *suffixes = &search->index->hosts[ROUTE_HOST_SUFFIX];
    const struct route_index_hosts *prefixes = &search->index->hosts[ROUTE_HOST_PREFIX];
    if (suffixes->tries.count > 0) {
        size_t from = host.len > suffixes->longest ? host.len - suffixes->longest : 1;
        for (size_t i = from; i < host.len && i + suffixes->shortest <= host.len; i++)
            if (host.ptr[i] == '.')
                search_host(search, ROUTE_HOST_SUFFIX, slice_from(host, i));
    }
    if (prefixes->tries.count > 0)
        for (size_t i = 1; i < host.len && i <= prefixes->longest; i++)
            if (host.ptr[i - 1] == '.')
                search_host(search, ROUTE_HOST_PREFIX, slice_make(host.ptr, i));
}

bool route_index_find(const struct route_index *index, const struct router_request *request,
                      struct route_hit *hit)
{
    struct search search = {.index = index, .request = request, .hit = hit, .best = UINT32_MAX};
    struct slice host = request->host;
    const struct route_index_hosts *exact = &index->hosts[ROUTE_HOST_EXACT];
    if (exact->tries.count > 0 && host.len <= exact->longest)
        search_host(&search, ROUTE_HOST_EXACT, host);
    search_wildcards(&search, host);
    search_trie(&search, ANY_HOST);
    return search.best != UINT32_MAX;
}
