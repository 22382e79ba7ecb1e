/* SPDX-License-Identifier: Apache-2.0 */
/* map.h -- hash table from text to pointer, open addressing.
 *
 * Keys are borrowed: their bytes must live as long as the entry (usually inside the value). Values
 * are not owned either. Lookups in a table that nobody changes are safe from several threads. */
#ifndef SLUICE_BASE_MAP_H
#define SLUICE_BASE_MAP_H

#include "base/slice.h"

struct map_slot {
    struct slice key;
    void *value; /* NULL: free */
    uint64_t hash;
};

struct map {
    struct map_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

uint64_t map_hash(struct slice key);
/* NULL if absent. */
void *map_get(const struct map *map, struct slice key);
/* Adds or replaces; `value` must not be NULL. False when out of memory (nothing changed). */
bool map_set(struct map *map, struct slice key, void *value) __attribute__((warn_unused_result));
/* The value that was there, or NULL. */
void *map_remove(struct map *map, struct slice key);
/* Next used slot at or after *position, which moves behind it; NULL at the end. Start with 0. */
struct map_slot *map_next(const struct map *map, size_t *position);
/* Copies the table, not the values. False when out of memory. */
bool map_copy(struct map *to, const struct map *from) __attribute__((warn_unused_result));
void map_clear(struct map *map);

#endif
