/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h -- the whole configuration as the data plane sees it, at one moment.
 *
 * Immutable and reference-counted. It is put together from parts, each immutable and counted too,
 * so that a write rebuilds only the parts it touches: `routing` (services, routes, plugins),
 * `people` (consumers) and `keys` (credentials). The admin thread publishes through a
 * snapshot_slot; a worker notices a new one by comparing one pointer per request. */
#ifndef SLUICE_SNAPSHOT_SNAPSHOT_H
#define SLUICE_SNAPSHOT_SNAPSHOT_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "config/entity.h"
#include "pdk.h"
#include "plugin/chain.h"
#include "route/router.h"

/* A service with what a request needs of it beyond the entity. */
struct snapshot_service {
    const struct service *service;
    struct pdk_entity pdk;
    struct sockaddr_storage address; /* of a host that is an IP literal */
    socklen_t address_len;           /* 0: a name, to be resolved */
    struct slice host_header;        /* host, with the port unless it is the scheme's default */
};

struct snapshot_route {
    const struct route *route;
    const struct snapshot_service *service; /* NULL: none */
    const struct chain *chain;
    struct pdk_entity pdk;
};

struct snapshot_routing {
    atomic_uint refs;
    struct arena arena; /* everything below */
    struct router *router;
    struct snapshot_route *routes; /* by router_match.index */
    size_t route_count;
    struct chain global;      /* requests without a route, and rewrite */
    struct entity **entities; /* references held */
    size_t entity_count;
    struct plugin_config **configs; /* references held */
    size_t config_count;
};

struct snapshot_person {
    struct pdk_consumer pdk;
    struct consumer *consumer; /* one reference */
    atomic_uint refs;
};

struct snapshot_people {
    atomic_uint refs;
    struct map by_id;   /* struct snapshot_person, one reference each */
    struct map by_name; /* username -> the same, borrowed */
};

struct snapshot_key {
    struct pdk_credential pdk; /* pdk.consumer points into a snapshot_person that the key holds */
    struct snapshot_person *person;
    struct credential *credential; /* one reference */
    atomic_uint refs;
};

struct snapshot_keys {
    atomic_uint refs;
    struct map by_key; /* "keyauth_credentials" only for now: key -> struct snapshot_key, one
                          reference each */
};

struct snapshot {
    atomic_uint refs;
    uint64_t generation;
    struct snapshot_routing *routing;
    struct snapshot_people *people;
    struct snapshot_keys *keys;
};

struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* any thread; NULL is allowed */

void snapshot_routing_unref(struct snapshot_routing *routing);
void snapshot_people_unref(struct snapshot_people *people);
void snapshot_keys_unref(struct snapshot_keys *keys);
void snapshot_person_unref(struct snapshot_person *person);
void snapshot_key_unref(struct snapshot_key *key);

/* Where the current snapshot is published. */
struct snapshot_slot {
    pthread_mutex_t mutex; /* makes "load and take a reference" one step */
    _Atomic(struct snapshot *) current;
};

void snapshot_slot_init(struct snapshot_slot *slot);
void snapshot_slot_clear(struct snapshot_slot *slot);
/* Takes the reference. The former one is released. */
void snapshot_slot_publish(struct snapshot_slot *slot, struct snapshot *snapshot);
/* A new reference to the current one; NULL before the first publication. */
struct snapshot *snapshot_slot_acquire(struct snapshot_slot *slot);
/* Is `snapshot`, which the caller holds, still the current one? One relaxed load. */
static inline bool snapshot_slot_is_current(struct snapshot_slot *slot,
                                            const struct snapshot *snapshot)
{
    return atomic_load_explicit(&slot->current, memory_order_acquire) == snapshot;
}

#endif
