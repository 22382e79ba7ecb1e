/* SPDX-License-Identifier: Apache-2.0 */
/* build_parts.c -- makes the parts of a snapshot: the router with services and plugin chains bound
 * to its routes, the consumers, the credentials. */
#include "snapshot/build_parts.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* Configurations that share a scope. */
struct config_list {
    const struct plugin_config **items;
    size_t count, capacity;
};

/* What build_routing() works with; the arena is the routing's own. */
struct routing_work {
    struct snapshot_routing *routing;
    const struct plugin_set *set;
    struct map services;   /* id -> struct snapshot_service */
    struct map by_route;   /* route id -> struct config_list */
    struct map by_service; /* service id (and no route) -> struct config_list */
    struct config_list anywhere;
    struct map chains; /* service id, or "" -> struct chain shared by its routes */
};

static bool list_add(struct arena *arena, struct config_list *list,
                     const struct plugin_config *config)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        const struct plugin_config **items = arena_alloc(arena, capacity * sizeof(*items));
        if (items == NULL)
            return false;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = config;
    return true;
}

static bool map_list_add(struct arena *arena, struct map *map, struct slice id,
                         const struct plugin_config *config)
{
    struct config_list *list = map_get(map, id);
    if (list == NULL) {
        list = arena_calloc(arena, sizeof(*list));
        if (list == NULL || !map_set(map, id, list))
            return false;
    }
    return list_add(arena, list, config);
}

/* Holds every configuration and sorts it by where it applies. */
static bool sort_configs(struct routing_work *work, const struct picture *picture)
{
    struct snapshot_routing *routing = work->routing;
    struct map_slot *slot;
    routing->configs =
        arena_alloc(&routing->arena, (picture->configs.count + 1) * sizeof(*routing->configs));
    if (routing->configs == NULL)
        return false;
    for (size_t at = 0; (slot = map_next(&picture->configs, &at)) != NULL;) {
        struct plugin_config *config = slot->value;
        if ((config->protocols & (1u << PROTOCOL_HTTP | 1u << PROTOCOL_HTTPS | 1u << PROTOCOL_GRPC |
                                  1u << PROTOCOL_GRPCS)) == 0)
            continue;
        routing->configs[routing->config_count++] = plugin_config_ref(config);
        bool is_added =
            config->route_id.ptr != NULL
                ? map_list_add(&routing->arena, &work->by_route, config->route_id, config)
            : config->service_id.ptr != NULL
                ? map_list_add(&routing->arena, &work->by_service, config->service_id, config)
                : list_add(&routing->arena, &work->anywhere, config);
        if (!is_added)
            return false;
    }
    return true;
}

static bool append_all(struct arena *arena, struct config_list *to, const struct config_list *from)
{
    for (size_t i = 0; from != NULL && i < from->count; i++)
        if (!list_add(arena, to, from->items[i]))
            return false;
    return true;
}

static struct chain *chain_create(struct routing_work *work, const struct config_list *own,
                                  struct slice route_id, struct slice service_id)
{
    struct arena *arena = &work->routing->arena;
    struct config_list all = {0};
    struct config_list *of_service =
        service_id.ptr == NULL ? NULL : map_get(&work->by_service, service_id);
    struct chain *chain = arena_calloc(arena, sizeof(*chain));
    if (chain == NULL || !append_all(arena, &all, own) || !append_all(arena, &all, of_service) ||
        !append_all(arena, &all, &work->anywhere) ||
        !chain_build(chain, arena, work->set, all.items, all.count, route_id, service_id))
        return NULL;
    return chain;
}

/* Routes without configurations of their own share the chain of their service. */
static const struct chain *chain_of(struct routing_work *work, const struct route *route,
                                    struct slice service_id)
{
    const struct config_list *own = map_get(&work->by_route, route->entity.id);
    if (own != NULL)
        return chain_create(work, own, route->entity.id, service_id);
    struct slice key = service_id.ptr == NULL ? SLICE("") : service_id;
    struct chain *chain = map_get(&work->chains, key);
    if (chain != NULL)
        return chain;
    chain = chain_create(work, NULL, (struct slice){NULL, 0}, service_id);
    return chain != NULL && map_set(&work->chains, key, chain) ? chain : NULL;
}

static struct pdk_str str_of(struct slice s)
{
    return (struct pdk_str){s.ptr, s.len};
}

static struct pdk_entity pdk_entity_of(const struct entity *entity)
{
    return (struct pdk_entity){sizeof(struct pdk_entity), str_of(entity->id), str_of(entity->name),
                               str_of(entity->json)};
}

/* Fills in the address if the host is an IP literal ("::1" or "[::1]" too). */
static void parse_literal(struct snapshot_service *bound)
{
    struct slice host = bound->service->host;
    char text[INET6_ADDRSTRLEN];
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = slice_make(host.ptr + 1, host.len - 2);
    if (host.len >= sizeof(text))
        return;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    struct sockaddr_in *v4 = (struct sockaddr_in *)&bound->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&bound->address;
    uint16_t port = htons((uint16_t)bound->service->port);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        bound->address_len = sizeof(*v4);
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        bound->address_len = sizeof(*v6);
    }
}

static bool hold(struct snapshot_routing *routing, struct entity *entity)
{
    routing->entities[routing->entity_count++] = entity_ref(entity);
    return true;
}

static struct snapshot_service *bind_service(struct routing_work *work, struct service *service)
{
    struct snapshot_service *bound = map_get(&work->services, service->entity.id);
    if (bound != NULL)
        return bound;
    struct arena *arena = &work->routing->arena;
    bound = arena_calloc(arena, sizeof(*bound));
    if (bound == NULL || !map_set(&work->services, service->entity.id, bound))
        return NULL;
    hold(work->routing, &service->entity);
    bound->service = service;
    bound->pdk = pdk_entity_of(&service->entity);
    parse_literal(bound);
    bool is_tls = service->protocol == PROTOCOL_HTTPS || service->protocol == PROTOCOL_GRPCS;
    bound->host_header =
        service->port == (is_tls ? 443 : 80)
            ? service->host
            : arena_printf(arena, "%.*s:%d", SLICE_ARG(service->host), service->port);
    return bound->host_header.ptr == NULL ? NULL : bound;
}

static bool is_http(const struct route *route)
{
    return (route->protocols & (1u << PROTOCOL_HTTP | 1u << PROTOCOL_HTTPS | 1u << PROTOCOL_GRPC |
                                1u << PROTOCOL_GRPCS)) != 0;
}

/* Binds each route of the picture to its service and chain. Routes of a disabled service are left
 * out, as in Kong. */
static bool bind_routes(struct routing_work *work, const struct picture *picture, struct log *log)
{
    struct snapshot_routing *routing = work->routing;
    size_t most = picture->routes.count;
    struct route **list = arena_alloc(&routing->arena, (most + 1) * sizeof(*list));
    routing->routes = arena_calloc(&routing->arena, (most + 1) * sizeof(*routing->routes));
    routing->entities = arena_alloc(&routing->arena, (most + picture->services.count + 1) *
                                                         sizeof(*routing->entities));
    if (list == NULL || routing->routes == NULL || routing->entities == NULL)
        return false;
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&picture->routes, &at)) != NULL;) {
        struct route *route = slot->value;
        struct service *service =
            route->service_id.ptr == NULL ? NULL : map_get(&picture->services, route->service_id);
        if (!is_http(route) || (service != NULL && !service->is_enabled))
            continue;
        struct snapshot_route *bound = &routing->routes[routing->route_count];
        struct slice service_id = service == NULL ? (struct slice){NULL, 0} : service->entity.id;
        bound->route = route;
        bound->pdk = pdk_entity_of(&route->entity);
        bound->service = service == NULL ? NULL : bind_service(work, service);
        bound->chain = chain_of(work, route, service_id);
        if (bound->chain == NULL || (service != NULL && bound->service == NULL))
            return false;
        list[routing->route_count++] = route;
        hold(routing, &route->entity);
    }
    routing->router = router_create(list, routing->route_count, log);
    return routing->router != NULL;
}

struct snapshot_routing *build_routing(const struct picture *picture, const struct plugin_set *set,
                                       struct log *log)
{
    struct routing_work work = {.set = set};
    struct snapshot_routing *routing = calloc(1, sizeof(*routing));
    if (routing == NULL)
        return NULL;
    atomic_init(&routing->refs, 1);
    arena_init(&routing->arena, NULL);
    work.routing = routing;
    bool is_done = sort_configs(&work, picture) && bind_routes(&work, picture, log);
    if (is_done) {
        struct chain *global =
            chain_create(&work, NULL, (struct slice){NULL, 0}, (struct slice){NULL, 0});
        is_done = global != NULL;
        if (is_done)
            routing->global = *global;
    }
    map_clear(&work.services);
    map_clear(&work.by_route);
    map_clear(&work.by_service);
    map_clear(&work.chains);
    if (!is_done) {
        snapshot_routing_unref(routing);
        return NULL;
    }
    return routing;
}

struct snapshot_person *build_person(struct consumer *consumer)
{
    struct snapshot_person *person = calloc(1, sizeof(*person));
    if (person == NULL) {
        entity_unref(&consumer->entity);
        return NULL;
    }
    atomic_init(&person->refs, 1);
    person->consumer = consumer;
    person->pdk.entity = pdk_entity_of(&consumer->entity);
    person->pdk.custom_id = str_of(consumer->custom_id);
    return person;
}

struct snapshot_key *build_key(struct credential *credential, struct snapshot_person *person)
{
    struct snapshot_key *key = calloc(1, sizeof(*key));
    if (key == NULL) {
        entity_unref(&credential->entity);
        return NULL;
    }
    atomic_init(&key->refs, 1);
    atomic_fetch_add(&person->refs, 1);
    key->person = person;
    key->credential = credential;
    key->pdk.entity = pdk_entity_of(&credential->entity);
    key->pdk.consumer = &person->pdk;
    key->pdk.expires_at = credential->expires_at;
    return key;
}

struct snapshot_people *build_people(const struct picture *picture)
{
    struct snapshot_people *people = calloc(1, sizeof(*people));
    if (people == NULL)
        return NULL;
    atomic_init(&people->refs, 1);
    if (!map_copy(&people->by_id, &picture->people)) {
        free(people);
        return NULL;
    }
    struct map_slot *slot;
    bool is_done = true;
    for (size_t at = 0; (slot = map_next(&people->by_id, &at)) != NULL;) {
        struct snapshot_person *person = slot->value;
        atomic_fetch_add(&person->refs, 1);
        if (person->consumer->entity.name.ptr != NULL)
            is_done &= map_set(&people->by_name, person->consumer->entity.name, person);
    }
    if (is_done)
        return people;
    snapshot_people_unref(people);
    return NULL;
}

struct snapshot_keys *build_keys(const struct picture *picture)
{
    struct snapshot_keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL)
        return NULL;
    atomic_init(&keys->refs, 1);
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&picture->keys, &at)) != NULL;) {
        struct snapshot_key *key = slot->value;
        if (key->credential->entity.name.ptr == NULL)
            continue;
        atomic_fetch_add(&key->refs, 1);
        if (map_set(&keys->by_key, key->credential->entity.name, key))
            continue;
        atomic_fetch_sub(&key->refs, 1);
        snapshot_keys_unref(keys);
        return NULL;
    }
    return keys;
}
