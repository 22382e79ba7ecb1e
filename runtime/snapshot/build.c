/* SPDX-License-Identifier: Apache-2.0 */
/* build.c -- the admin thread's picture of the configuration, kept by id and brought up to date row
 * by row. build_parts.c makes the parts of a snapshot out of it. */
#include "snapshot/build.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "config/schema.h"
#include "snapshot/build_parts.h"

static void drop_entity(void *value)
{
    entity_unref(value);
}

static void drop_config(void *value)
{
    plugin_config_unref(value);
}

static void drop_person(void *value)
{
    snapshot_person_unref(value);
}

static void drop_key(void *value)
{
    snapshot_key_unref(value);
}

static void clear_map(struct map *map, void (*drop)(void *value))
{
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(map, &at)) != NULL;)
        drop(slot->value);
    map_clear(map);
}

static void clear_picture(struct picture *picture)
{
    clear_map(&picture->services, drop_entity);
    clear_map(&picture->routes, drop_entity);
    clear_map(&picture->configs, drop_config);
    clear_map(&picture->keys, drop_key);
    clear_map(&picture->people, drop_person);
}

struct builder *builder_create(const struct plugin_set *set, struct log *log)
{
    struct builder *builder = calloc(1, sizeof(*builder));
    if (builder == NULL)
        return NULL;
    builder->set = set;
    builder->log = log;
    return builder;
}

void builder_destroy(struct builder *builder)
{
    if (builder == NULL)
        return;
    clear_picture(&builder->picture);
    snapshot_routing_unref(builder->routing);
    snapshot_people_unref(builder->people);
    snapshot_keys_unref(builder->keys);
    free(builder);
}

/* Puts `value` under `id`, whose bytes belong to the value, and drops what was there. */
static bool put(struct map *map, struct slice id, void *value, void (*drop)(void *value))
{
    void *former = map_remove(map, id);
    if (former != NULL)
        drop(former);
    if (map_set(map, id, value))
        return true;
    drop(value);
    return false;
}

static void take_out(struct map *map, struct slice id, void (*drop)(void *value))
{
    void *former = map_remove(map, id);
    if (former != NULL)
        drop(former);
}

static struct slice row_text(const json_t *row, const char *member)
{
    return slice_of(json_string_value(json_object_get(row, member)));
}

static void log_skipped(struct builder *builder, const char *entity, const json_t *row,
                        const char *why)
{
    struct slice id = row_text(row, "id");
    log_write(builder->log, LOG_LEVEL_ERROR, "%s %.*s is left out of the configuration: %s", entity,
              SLICE_ARG(id), why);
}

static unsigned protocols_of(const json_t *row)
{
    unsigned bits = 0;
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(row, "protocols"), index, item)
    {
        enum protocol protocol;
        if (protocol_parse(slice_of(json_string_value(item)), &protocol))
            bits |= 1u << protocol;
    }
    return bits;
}

static bool copy_member(struct plugin_config *config, const json_t *value, struct slice *out)
{
    struct slice text = slice_of(json_string_value(value));
    if (text.ptr == NULL)
        return true;
    *out = arena_copy(&config->arena, text);
    return out->ptr != NULL;
}

static struct plugin_config *config_create(struct builder *builder, const struct plugin_type *type,
                                           const json_t *row, char **error)
{
    struct plugin_config *config = calloc(1, sizeof(*config));
    if (config == NULL)
        return NULL;
    atomic_init(&config->refs, 1);
    arena_init(&config->arena, NULL);
    config->type = type;
    config->serial = ++builder->serial;
    config->protocols = protocols_of(row);
    config->json = json_deep_copy(json_object_get(row, "config"));
    if (!copy_member(config, json_object_get(row, "id"), &config->id) ||
        !copy_member(config, json_object_get(row, "instance_name"), &config->instance_name) ||
        !copy_member(config, json_object_get(json_object_get(row, "route"), "id"),
                     &config->route_id) ||
        !copy_member(config, json_object_get(json_object_get(row, "service"), "id"),
                     &config->service_id) ||
        !copy_member(config, json_object_get(json_object_get(row, "consumer"), "id"),
                     &config->consumer_id) ||
        !type->vtable->configure(type, config, error)) {
        plugin_config_unref(config);
        return NULL;
    }
    return config;
}

static bool is_id(struct slice id, const json_t *parent)
{
    struct slice now = row_text(parent, "id");
    return id.ptr == NULL ? now.ptr == NULL : now.ptr != NULL && slice_eq(id, now);
}

/* Does the configuration stand for this very row? Then it is kept: its address and serial are its
 * identity for plugins, and a write comes by twice, from the Admin API and from the change log. */
static bool is_unchanged(const struct plugin_config *config, const json_t *row)
{
    struct slice name = row_text(row, "instance_name");
    return slice_eq(slice_of(config->type->name), row_text(row, "name")) &&
           (name.ptr == NULL ? config->instance_name.ptr == NULL
                             : slice_eq(config->instance_name, name)) &&
           config->protocols == protocols_of(row) &&
           is_id(config->route_id, json_object_get(row, "route")) &&
           is_id(config->service_id, json_object_get(row, "service")) &&
           is_id(config->consumer_id, json_object_get(row, "consumer")) &&
           json_equal(config->json, json_object_get(row, "config"));
}

static bool set_plugin(struct builder *builder, struct picture *picture, struct slice id,
                       const json_t *row)
{
    const struct plugin_config *present = map_get(&picture->configs, id);
    bool is_enabled = json_is_true(json_object_get(row, "enabled"));
    if (present != NULL && is_enabled && is_unchanged(present, row))
        return true;
    take_out(&picture->configs, id, drop_config);
    const struct plugin_type *type = plugin_set_find(builder->set, row_text(row, "name"));
    if (type == NULL) {
        log_skipped(builder, "plugin", row, "the plugin is not loaded on this node");
        return true;
    }
    if (!is_enabled)
        return true;
    char *error = NULL;
    struct plugin_config *config = config_create(builder, type, row, &error);
    if (config == NULL) {
        log_skipped(builder, "plugin", row, error != NULL ? error : "out of memory");
        free(error);
        return true;
    }
    return put(&picture->configs, config->id, config, drop_config);
}

static bool set_person(struct picture *picture, const json_t *row)
{
    struct consumer *consumer = consumer_create(row);
    struct snapshot_person *person = consumer == NULL ? NULL : build_person(consumer);
    if (person == NULL)
        return false;
    /* Credentials point at their consumer: they get the new one. */
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&picture->keys, &at)) != NULL;) {
        struct snapshot_key *key = slot->value;
        if (!slice_eq(key->credential->consumer_id, consumer->entity.id))
            continue;
        entity_ref(&key->credential->entity);
        struct snapshot_key *again = build_key(key->credential, person);
        if (again == NULL) {
            snapshot_person_unref(person);
            return false;
        }
        *slot = (struct map_slot){again->credential->entity.id, again, slot->hash};
        snapshot_key_unref(key);
    }
    return put(&picture->people, consumer->entity.id, person, drop_person);
}

static bool set_key(struct builder *builder, struct picture *picture, const json_t *row)
{
    struct credential *credential = credential_create(row, "key");
    if (credential == NULL)
        return false;
    struct snapshot_person *person = map_get(&picture->people, credential->consumer_id);
    if (person == NULL) {
        log_skipped(builder, "credential", row, "its consumer does not exist");
        entity_unref(&credential->entity);
        return true;
    }
    struct snapshot_key *key = build_key(credential, person);
    return key != NULL && put(&picture->keys, credential->entity.id, key, drop_key);
}

/* Brings one row into the picture; rows of kinds that the data plane does not know are ignored. */
static bool set_row(struct builder *builder, struct picture *picture, const char *kind,
                    const json_t *row)
{
    struct slice id = row_text(row, "id");
    if (id.ptr == NULL) {
        log_skipped(builder, kind, row, "it has no id");
        return true;
    }
    if (strcmp(kind, "services") == 0) {
        struct service *service = service_create(row);
        return service != NULL && put(&picture->services, service->entity.id, service, drop_entity);
    }
    if (strcmp(kind, "routes") == 0) {
        struct route *route = route_create(row);
        return route != NULL && put(&picture->routes, route->entity.id, route, drop_entity);
    }
    if (strcmp(kind, "plugins") == 0)
        return set_plugin(builder, picture, id, row);
    if (strcmp(kind, "consumers") == 0)
        return set_person(picture, row);
    if (strcmp(kind, "keyauth_credentials") == 0)
        return set_key(builder, picture, row);
    return true;
}

/* Removes the configurations whose scope (chosen by `scope_of`) is `id`. */
static void drop_scoped(struct map *configs, struct slice id, size_t member_offset)
{
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(configs, &at)) != NULL;) {
        struct plugin_config *config = slot->value;
        struct slice scope;
        memcpy(&scope, (const char *)config + member_offset, sizeof(scope));
        if (scope.ptr == NULL || !slice_eq(scope, id))
            continue;
        map_remove(configs, config->id);
        plugin_config_unref(config);
        at = 0; /* removal moves entries */
    }
}

static void drop_keys_of(struct map *keys, struct slice consumer_id)
{
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(keys, &at)) != NULL;) {
        struct snapshot_key *key = slot->value;
        if (!slice_eq(key->credential->consumer_id, consumer_id))
            continue;
        map_remove(keys, key->credential->entity.id);
        snapshot_key_unref(key);
        at = 0;
    }
}

/* As the store does: what refers to the deleted row by a cascade goes too. */
static void drop_row(struct picture *picture, const char *kind, struct slice id)
{
    if (strcmp(kind, "services") == 0) {
        drop_scoped(&picture->configs, id, offsetof(struct plugin_config, service_id));
        take_out(&picture->services, id, drop_entity);
    } else if (strcmp(kind, "routes") == 0) {
        drop_scoped(&picture->configs, id, offsetof(struct plugin_config, route_id));
        take_out(&picture->routes, id, drop_entity);
    } else if (strcmp(kind, "plugins") == 0) {
        take_out(&picture->configs, id, drop_config);
    } else if (strcmp(kind, "consumers") == 0) {
        drop_scoped(&picture->configs, id, offsetof(struct plugin_config, consumer_id));
        drop_keys_of(&picture->keys, id);
        take_out(&picture->people, id, drop_person);
    } else if (strcmp(kind, "keyauth_credentials") == 0) {
        take_out(&picture->keys, id, drop_key);
    }
}

static void mark_changed(struct builder *builder, const char *kind)
{
    bool is_person = strcmp(kind, "consumers") == 0;
    builder->is_people_changed |= is_person;
    builder->is_keys_changed |= is_person || strcmp(kind, "keyauth_credentials") == 0;
    builder->is_routing_changed |= is_person || strcmp(kind, "services") == 0 ||
                                   strcmp(kind, "routes") == 0 || strcmp(kind, "plugins") == 0;
}

bool builder_apply(struct builder *builder, const struct schema *schema, const char *id,
                   const json_t *row)
{
    mark_changed(builder, schema->name);
    if (row != NULL)
        return set_row(builder, &builder->picture, schema->name, row);
    drop_row(&builder->picture, schema->name, slice_of(id));
    return true;
}

struct load {
    struct builder *builder;
    struct picture picture;
    const char *kind;
    bool is_failed;
};

static bool on_row(void *context, json_t *row)
{
    struct load *load = context;
    if (set_row(load->builder, &load->picture, load->kind, row))
        return true;
    /* One bad row does not take the node down; running out of memory shows again soon enough. */
    log_skipped(load->builder, load->kind, row, "its stored form cannot be used");
    return true;
}

static enum store_result load_all(struct load *load, struct store *store, struct store_error *error)
{
    for (const struct schema *const *schema = schema_core(); *schema != NULL; schema++) {
        load->kind = (*schema)->name;
        enum store_result result = store_each(store, *schema, on_row, load, error);
        if (result != STORE_OK)
            return result;
        mark_changed(load->builder, load->kind);
    }
    return STORE_OK;
}

enum store_result builder_load(struct builder *builder, struct store *store,
                               struct store_error *error)
{
    struct load load = {.builder = builder};
    json_t *entries = NULL;
    int64_t latest = 0;
    enum store_result result = store_read_begin(store, error);
    if (result != STORE_OK)
        return result;
    result = store_changes_since(store, INT64_MAX - 1, &entries, &latest, error);
    json_decref(entries);
    if (result == STORE_OK)
        result = load_all(&load, store, error);
    store_read_end(store);
    if (result != STORE_OK) {
        clear_picture(&load.picture);
        return result;
    }
    clear_picture(&builder->picture);
    builder->picture = load.picture;
    builder->position = latest;
    return STORE_OK;
}

int64_t builder_position(const struct builder *builder)
{
    return builder->position;
}

/* Takes over a freshly made part, or keeps the former one if nothing changed. */
#define REFRESH(builder, part, create)                                                             \
    do {                                                                                           \
        if ((builder)->part == NULL || (builder)->is_##part##_changed) {                           \
            struct snapshot_##part *fresh = create;                                                \
            if (fresh == NULL)                                                                     \
                return NULL;                                                                       \
            snapshot_##part##_unref((builder)->part);                                              \
            (builder)->part = fresh;                                                               \
            (builder)->is_##part##_changed = false;                                                \
        }                                                                                          \
    } while (0)

struct snapshot *builder_snapshot(struct builder *builder)
{
    REFRESH(builder, routing, build_routing(&builder->picture, builder->set, builder->log));
    REFRESH(builder, people, build_people(&builder->picture));
    REFRESH(builder, keys, build_keys(&builder->picture));
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (snapshot == NULL)
        return NULL;
    atomic_init(&snapshot->refs, 1);
    snapshot->generation = ++builder->generation;
    snapshot->routing = builder->routing;
    snapshot->people = builder->people;
    snapshot->keys = builder->keys;
    atomic_fetch_add(&snapshot->routing->refs, 1);
    atomic_fetch_add(&snapshot->people->refs, 1);
    atomic_fetch_add(&snapshot->keys->refs, 1);
    return snapshot;
}
