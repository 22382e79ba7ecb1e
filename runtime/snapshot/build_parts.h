/* SPDX-License-Identifier: Apache-2.0 */
/* build_parts.h -- the builder's inside: the picture of all rows, and the parts made out of it.
 * Only build.c and build_parts.c include this. */
#ifndef SLUICE_SNAPSHOT_BUILD_PARTS_H
#define SLUICE_SNAPSHOT_BUILD_PARTS_H

#include "snapshot/snapshot.h"

/* Everything by id; each map holds one reference to each value. */
struct picture {
    struct map services; /* struct service */
    struct map routes;   /* struct route */
    struct map configs;  /* struct plugin_config */
    struct map people;   /* struct snapshot_person */
    struct map keys;     /* struct snapshot_key */
};

struct builder {
    const struct plugin_set *set;
    struct log *log;
    struct picture picture;
    struct snapshot_routing *routing; /* of the last snapshot; one reference each */
    struct snapshot_people *people;
    struct snapshot_keys *keys;
    bool is_routing_changed, is_people_changed, is_keys_changed;
    uint64_t generation;
    uint64_t serial;  /* of plugin configurations */
    int64_t position; /* in the change log, of the last load */
};

/* Take the caller's reference to the consumer / credential, also on failure (NULL: no memory). */
struct snapshot_person *build_person(struct consumer *consumer);
struct snapshot_key *build_key(struct credential *credential, struct snapshot_person *person);

/* One reference for the caller; NULL: out of memory. */
struct snapshot_routing *build_routing(const struct picture *picture, const struct plugin_set *set,
                                       struct log *log);
struct snapshot_people *build_people(const struct picture *picture);
struct snapshot_keys *build_keys(const struct picture *picture);

#endif
