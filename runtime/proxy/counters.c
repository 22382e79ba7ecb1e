/* SPDX-License-Identifier: Apache-2.0 */
/* counters.c -- open addressing per shard; entries whose last window ended are reclaimed when the
 * shard would grow, so expiry costs nothing on the way. */
#include "proxy/counters.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"

enum { SHARDS = 64, FIRST_SLOTS = 64 };

/* One window of one key. */
struct counter {
    uint64_t key_hash; /* 128 bits of key hash stand for the key itself */
    uint64_t key_check;
    int64_t start_s;
    int64_t used;
    uint32_t length_s; /* 0: free */
};

struct shard {
    pthread_mutex_t mutex;
    struct counter *slots;
    size_t capacity; /* power of two */
    size_t count;    /* slots in use, ended windows included */
} __attribute__((aligned(64)));

struct counters {
    struct shard shards[SHARDS];
};

struct counters *counters_create(void)
{
    struct counters *counters = aligned_alloc(64, sizeof(*counters));
    if (counters == NULL)
        return NULL;
    memset(counters, 0, sizeof(*counters));
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&counters->shards[i].mutex, NULL);
    return counters;
}

void counters_destroy(struct counters *counters)
{
    if (counters == NULL)
        return;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&counters->shards[i].mutex);
        free(counters->shards[i].slots);
    }
    free(counters);
}

static bool has_ended(const struct counter *counter, int64_t now_s)
{
    return counter->start_s + (int64_t)counter->length_s <= now_s;
}

static bool is_same(const struct counter *counter, uint64_t hash, uint64_t check,
                    const struct pdk_window *window)
{
    return counter->key_hash == hash && counter->key_check == check &&
           counter->length_s == (uint32_t)window->length_s;
}

/* The windows of a key are spread: each length has its own place. */
static size_t home_of(uint64_t hash, int64_t length_s, size_t mask)
{
    return (hash ^ ((uint64_t)length_s * 0x9e3779b97f4a7c15ull)) & mask;
}

static bool rebuild(struct shard *shard, int64_t now_s)
{
    size_t alive = 0;
    for (size_t i = 0; i < shard->capacity; i++)
        alive += shard->slots[i].length_s != 0 && !has_ended(&shard->slots[i], now_s);
    size_t capacity = FIRST_SLOTS;
    while (capacity < alive * 2 + 2)
        capacity *= 2;
    if (capacity > COUNTERS_MAX_KEYS / SHARDS * 2)
        return false;
    struct counter *slots = calloc(capacity, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < shard->capacity; i++) {
        struct counter *old = &shard->slots[i];
        if (old->length_s == 0 || has_ended(old, now_s))
            continue;
        size_t at = home_of(old->key_hash, old->length_s, capacity - 1);
        while (slots[at].length_s != 0)
            at = (at + 1) & (capacity - 1);
        slots[at] = *old;
    }
    free(shard->slots);
    shard->slots = slots;
    shard->capacity = capacity;
    shard->count = alive;
    return true;
}

/* The slot of a window, made or turned over to the present window if need be. NULL: no room. */
static struct counter *find(struct shard *shard, uint64_t hash, uint64_t check,
                            const struct pdk_window *window, int64_t now_s)
{
    if ((shard->count + 1) * 4 > shard->capacity * 3 && !rebuild(shard, now_s))
        return NULL;
    size_t mask = shard->capacity - 1;
    size_t at = home_of(hash, window->length_s, mask);
    while (shard->slots[at].length_s != 0 && !is_same(&shard->slots[at], hash, check, window))
        at = (at + 1) & mask;
    struct counter *counter = &shard->slots[at];
    if (counter->length_s == 0) {
        *counter = (struct counter){hash, check, window->start_s, 0, (uint32_t)window->length_s};
        shard->count++;
    } else if (counter->start_s < window->start_s) {
        counter->start_s = window->start_s;
        counter->used = 0;
    }
    return counter;
}

/* A second hash of the key, of another make than map_hash(): together they stand for the key. */
static uint64_t check_of(struct pdk_str key)
{
    uint64_t check = 0x2545f4914f6cdd1dull + key.len;
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= key.len; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, key.ptr + i, sizeof(word));
        check = (check + word) * 0x9e3779b97f4a7c15ull;
        check = (check << 23) | (check >> 41);
    }
    for (; i < key.len; i++)
        check = (check ^ (unsigned char)key.ptr[i]) * 0x100000001b3ull;
    return check;
}

bool counters_take(struct counters *counters, struct pdk_str key, struct pdk_window *windows,
                   size_t count, int64_t cost, int64_t now_s)
{
    enum { MOST_WINDOWS = 16 };
    struct counter *found[MOST_WINDOWS];
    uint64_t hash = map_hash(slice_make(key.ptr, key.len));
    uint64_t check = check_of(key);
    struct shard *shard = &counters->shards[hash >> 58];
    bool is_allowed = true;
    pthread_mutex_lock(&shard->mutex);
    /* Room for all first: a rebuild in between would move what was found. */
    while ((shard->count + count) * 4 > shard->capacity * 3)
        if (!rebuild(shard, now_s) || (shard->count + count) * 4 <= shard->capacity * 3)
            break;
    for (size_t i = 0; i < count && i < MOST_WINDOWS; i++) {
        found[i] = find(shard, hash, check, &windows[i], now_s);
        windows[i].used = found[i] == NULL ? 0 : found[i]->used;
        if (found[i] != NULL && found[i]->used + cost > windows[i].limit)
            is_allowed = false;
    }
    for (size_t i = 0; is_allowed && i < count && i < MOST_WINDOWS; i++)
        if (found[i] != NULL)
            found[i]->used += cost;
    pthread_mutex_unlock(&shard->mutex);
    return is_allowed;
}
