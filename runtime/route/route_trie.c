/* SPDX-License-Identifier: Apache-2.0 */
/* route_trie.c -- building. The keys are sorted, so that a node is a run of neighbours which share
 * their first bytes. Nodes are made breadth first, each as it is taken from the front of the array:
 * the array is the queue, siblings come to lie side by side, and no recursion follows the keys. */
#include "route/route_trie.h"

#include <stdlib.h>

#include "base/arena.h"

/* The keys below a node, and how many bytes they share: the node's text. */
struct run {
    uint32_t low, high;
    uint32_t depth;
};

struct build {
    struct route_trie *trie;
    unsigned char *first_bytes; /* by node, like runs */
    const struct route_place *places;
    const struct route_trie_key *keys;
    struct run *runs;
    uint32_t node_count;
};

static int by_trie_text_rank(const void *left, const void *right)
{
    const struct route_trie_key *a = left, *b = right;
    if (a->trie != b->trie)
        return a->trie < b->trie ? -1 : 1;
    size_t shorter = a->text.len < b->text.len ? a->text.len : b->text.len;
    int order = shorter == 0 ? 0 : memcmp(a->text.ptr, b->text.ptr, shorter);
    if (order != 0)
        return order;
    if (a->text.len != b->text.len)
        return a->text.len < b->text.len ? -1 : 1;
    if (a->place.rank != b->place.rank)
        return a->place.rank < b->place.rank ? -1 : 1;
    return 0;
}

/* Bytes shared by the sorted keys from `low` on to before `high`: what the ends share, all do. */
static uint32_t shared(const struct build *build, uint32_t low, uint32_t high, uint32_t depth)
{
    struct slice first = build->keys[low].text, last = build->keys[high - 1].text;
    size_t most = first.len < last.len ? first.len : last.len;
    while (depth < most && first.ptr[depth] == last.ptr[depth])
        depth++;
    return depth;
}

static void add_node(struct build *build, struct run run, uint32_t parent_depth,
                     const struct route_trie_node *up)
{
    uint32_t at = build->node_count++;
    struct slice text = run.low < run.high ? build->keys[run.low].text : SLICE("");
    struct slice label = slice_make(slice_from(text, parent_depth).ptr, run.depth - parent_depth);
    build->runs[at] = run;
    build->first_bytes[at] = label.len == 0 ? 0 : (unsigned char)label.ptr[0];
    build->trie->nodes[at] = (struct route_trie_node){
        .label = label.ptr, .label_len = (uint32_t)label.len, .up = up, .best = UINT32_MAX};
}

/* Gives the node its places and appends its children. */
static void expand(struct build *build, uint32_t at)
{
    struct route_trie_node *node = &build->trie->nodes[at];
    struct run run = build->runs[at];
    uint32_t low = run.low;
    while (low < run.high && build->keys[low].text.len == run.depth)
        low++;
    node->places = build->places + run.low;
    node->place_count = low - run.low;
    if (node->place_count > 0)
        node->best = node->places[0].rank;
    if (node->up != NULL && node->up->best < node->best)
        node->best = node->up->best;
    const struct route_trie_node *up = node->place_count > 0 ? node : node->up;
    uint32_t first_child = build->node_count;
    for (uint32_t end; low < run.high; low = end) {
        char byte = build->keys[low].text.ptr[run.depth];
        for (end = low + 1; end < run.high && build->keys[end].text.ptr[run.depth] == byte; end++)
            ;
        struct run child = {low, end, shared(build, low, end, run.depth)};
        add_node(build, child, run.depth, up);
    }
    node->children = build->trie->nodes + first_child;
    node->child_bytes = build->first_bytes + first_child;
    node->child_count = build->node_count - first_child;
}

static void add_roots(struct build *build, uint32_t trie_count, uint32_t key_count)
{
    uint32_t low = 0;
    for (uint32_t i = 0; i < trie_count; i++) {
        uint32_t high = low;
        while (high < key_count && build->keys[high].trie == i)
            high++;
        struct run run = {low, high, low < high ? shared(build, low, high, 0) : 0};
        add_node(build, run, 0, NULL);
        low = high;
    }
}

bool route_trie_init(struct route_trie *trie, struct arena *arena, uint32_t trie_count,
                     struct route_trie_key *keys, size_t count)
{
    if (count > ROUTE_TRIE_MAX_KEYS || trie_count > ROUTE_TRIE_MAX_KEYS)
        return false;
    for (size_t i = 0; i < count; i++)
        if (keys[i].text.len > UINT32_MAX)
            return false;
    /* A key adds at most its own node and one where it parts from others. */
    size_t most = trie_count + 2 * count + 1;
    struct route_place *places = arena_alloc(arena, (count + 1) * sizeof(*places));
    struct build build = {.trie = trie,
                          .first_bytes = arena_alloc(arena, most),
                          .places = places,
                          .keys = keys,
                          .runs = malloc(most * sizeof(*build.runs))};
    trie->nodes = arena_alloc(arena, most * sizeof(*trie->nodes));
    bool is_done =
        trie->nodes != NULL && build.first_bytes != NULL && places != NULL && build.runs != NULL;
    if (is_done) {
        if (count > 1)
            qsort(keys, count, sizeof(*keys), by_trie_text_rank);
        for (size_t i = 0; i < count; i++)
            places[i] = keys[i].place;
        add_roots(&build, trie_count, (uint32_t)count);
        for (uint32_t at = 0; at < build.node_count; at++)
            expand(&build, at);
    }
    free(build.runs);
    return is_done;
}
