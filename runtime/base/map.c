/* SPDX-License-Identifier: Apache-2.0 */
/* map.c -- linear probing with backward-shift deletion; at most 3/4 full. */
#include "base/map.h"

#include <stdlib.h>

uint64_t map_hash(struct slice key)
{
    uint64_t hash = 0x9e3779b97f4a7c15ull ^ key.len;
    const char *p = key.ptr;
    size_t left = key.len;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdull;
        hash ^= hash >> 32;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < left; i++)
        tail |= (uint64_t)(unsigned char)p[i] << (8 * i);
    hash = (hash ^ tail) * 0xc4ceb9fe1a85ec53ull;
    hash ^= hash >> 29;
    hash *= 0xff51afd7ed558ccdull;
    return hash ^ (hash >> 32);
}

static struct map_slot *find(const struct map *map, struct slice key, uint64_t hash)
{
    size_t mask = map->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *slot = &map->slots[i];
        if (slot->value == NULL || (slot->hash == hash && slice_eq(slot->key, key)))
            return slot;
    }
}

void *map_get(const struct map *map, struct slice key)
{
    return map->count == 0 ? NULL : find(map, key, map_hash(key))->value;
}

static bool grow(struct map *map)
{
    size_t capacity = map->capacity == 0 ? 8 : map->capacity * 2;
    struct map bigger = {.capacity = capacity, .count = map->count};
    bigger.slots = calloc(capacity, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].value != NULL)
            *find(&bigger, map->slots[i].key, map->slots[i].hash) = map->slots[i];
    free(map->slots);
    *map = bigger;
    return true;
}

bool map_set(struct map *map, struct slice key, void *value)
{
    if ((map->count + 1) * 4 > map->capacity * 3 && !grow(map))
        return false;
    uint64_t hash = map_hash(key);
    struct map_slot *slot = find(map, key, hash);
    if (slot->value == NULL)
        map->count++;
    *slot = (struct map_slot){key, value, hash};
    return true;
}

void *map_remove(struct map *map, struct slice key)
{
    if (map->count == 0)
        return NULL;
    struct map_slot *slot = find(map, key, map_hash(key));
    void *value = slot->value;
    if (value == NULL)
        return NULL;
    size_t mask = map->capacity - 1, hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) { /* may not move before its home */
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole].value = NULL;
    map->count--;
    return value;
}

struct map_slot *map_next(const struct map *map, size_t *position)
{
    while (*position < map->capacity) {
        struct map_slot *slot = &map->slots[(*position)++];
        if (slot->value != NULL)
            return slot;
    }
    return NULL;
}

bool map_copy(struct map *to, const struct map *from)
{
    *to = *from;
    if (from->capacity == 0)
        return true;
    to->slots = malloc(from->capacity * sizeof(*to->slots));
    if (to->slots == NULL) {
        *to = (struct map){0};
        return false;
    }
    memcpy(to->slots, from->slots, from->capacity * sizeof(*to->slots));
    return true;
}

void map_clear(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}
