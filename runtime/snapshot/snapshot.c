/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c -- lifetimes of snapshots and their parts. */
#include "snapshot/snapshot.h"

#include <stdlib.h>

static bool is_last(atomic_uint *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

void snapshot_routing_unref(struct snapshot_routing *routing)
{
    if (routing == NULL || !is_last(&routing->refs))
        return;
    router_destroy(routing->router);
    for (size_t i = 0; i < routing->entity_count; i++)
        entity_unref(routing->entities[i]);
    for (size_t i = 0; i < routing->config_count; i++)
        plugin_config_unref(routing->configs[i]);
    arena_clear(&routing->arena);
    free(routing);
}

void snapshot_person_unref(struct snapshot_person *person)
{
    if (person == NULL || !is_last(&person->refs))
        return;
    entity_unref(&person->consumer->entity);
    free(person);
}

void snapshot_people_unref(struct snapshot_people *people)
{
    if (people == NULL || !is_last(&people->refs))
        return;
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&people->by_id, &at)) != NULL;)
        snapshot_person_unref(slot->value);
    map_clear(&people->by_id);
    map_clear(&people->by_name);
    free(people);
}

void snapshot_key_unref(struct snapshot_key *key)
{
    if (key == NULL || !is_last(&key->refs))
        return;
    snapshot_person_unref(key->person);
    entity_unref(&key->credential->entity);
    free(key);
}

void snapshot_keys_unref(struct snapshot_keys *keys)
{
    if (keys == NULL || !is_last(&keys->refs))
        return;
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&keys->by_key, &at)) != NULL;)
        snapshot_key_unref(slot->value);
    map_clear(&keys->by_key);
    free(keys);
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot == NULL || !is_last(&snapshot->refs))
        return;
    snapshot_routing_unref(snapshot->routing);
    snapshot_people_unref(snapshot->people);
    snapshot_keys_unref(snapshot->keys);
    free(snapshot);
}

void snapshot_slot_init(struct snapshot_slot *slot)
{
    pthread_mutex_init(&slot->mutex, NULL);
    atomic_init(&slot->current, NULL);
}

void snapshot_slot_clear(struct snapshot_slot *slot)
{
    snapshot_slot_publish(slot, NULL);
    pthread_mutex_destroy(&slot->mutex);
}

void snapshot_slot_publish(struct snapshot_slot *slot, struct snapshot *snapshot)
{
    pthread_mutex_lock(&slot->mutex);
    struct snapshot *former =
        atomic_exchange_explicit(&slot->current, snapshot, memory_order_acq_rel);
    pthread_mutex_unlock(&slot->mutex);
    snapshot_unref(former);
}

struct snapshot *snapshot_slot_acquire(struct snapshot_slot *slot)
{
    pthread_mutex_lock(&slot->mutex);
    struct snapshot *snapshot = atomic_load_explicit(&slot->current, memory_order_acquire);
    if (snapshot != NULL)
        snapshot_ref(snapshot);
    pthread_mutex_unlock(&slot->mutex);
    return snapshot;
}
