/* SPDX-License-Identifier: Apache-2.0 */
/* route_trie.h -- beginnings of paths, to find all that a path has in one walk along it.
 *
 * Many compressed tries in one array of nodes: trie `n` has its root at node n. Immutable once
 * built. A node knows the nearest node above it that has places, so the beginnings found are a
 * chain, the longest first. */
#ifndef SLUICE_ROUTE_ROUTE_TRIE_H
#define SLUICE_ROUTE_ROUTE_TRIE_H

#include "base/slice.h"

struct arena;

/* Where a matcher is filed. */
struct route_place {
    uint32_t rank; /* of the matcher, 0 is tried first */
    uint16_t port; /* that the host asks for */
    bool has_port;
    bool is_path_known; /* whoever finds the place has matched the matcher's plain path */
};

/* Input of a build. */
struct route_trie_key {
    uint32_t trie;
    struct slice text; /* borrowed for the life of the trie */
    struct route_place place;
};

struct route_trie_node {
    const char *label; /* bytes between the parent's text and this node's */
    const struct route_trie_node *children;
    const unsigned char *child_bytes; /* first byte of each child's label, ascending */
    const struct route_place *places; /* sorted by rank */
    const struct route_trie_node *up; /* nearest node above with places; NULL: none */
    uint32_t label_len;
    uint32_t child_count;
    uint32_t place_count;
    uint32_t best; /* lowest rank here or up the chain; UINT32_MAX: none */
};

struct route_trie {
    struct route_trie_node *nodes;
};

enum { ROUTE_TRIE_MAX_KEYS = 1 << 30 };

/* Builds `trie_count` tries of `count` keys, which it sorts. False: out of memory, or too many. */
bool route_trie_init(struct route_trie *trie, struct arena *arena, uint32_t trie_count,
                     struct route_trie_key *keys, size_t count) __attribute__((warn_unused_result));

/* The child of `node` to go to with the byte `next`; NULL: none. */
static inline const struct route_trie_node *route_trie_child(const struct route_trie_node *node,
                                                             char next)
{
    unsigned char wanted = (unsigned char)next;
    if (node->child_count == 1)
        return node->child_bytes[0] == wanted ? node->children : NULL;
    const unsigned char *at =
        node->child_count == 0 ? NULL : memchr(node->child_bytes, wanted, node->child_count);
    return at == NULL ? NULL : node->children + (at - node->child_bytes);
}

/* The longest key of the trie with that root that `text` begins with, as the node that has its
 * places; NULL if there is none. */
static inline const struct route_trie_node *route_trie_find(const struct route_trie *trie,
                                                            uint32_t root, struct slice text)
{
    const struct route_trie_node *node = &trie->nodes[root], *found = NULL;
    size_t position = 0;
    while (
        node != NULL && text.len - position >= node->label_len &&
        (node->label_len == 0 || memcmp(text.ptr + position, node->label, node->label_len) == 0)) {
        position += node->label_len;
        if (node->place_count > 0)
            found = node;
        if (position == text.len)
            break;
        node = route_trie_child(node, text.ptr[position]);
    }
    return found;
}

#endif
