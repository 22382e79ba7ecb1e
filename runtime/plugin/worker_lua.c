/* SPDX-License-Identifier: Apache-2.0 */
/* worker_lua.c -- the Lua state of a worker: coroutines and configuration tables.
 *
 * Everything that allocates in Lua happens inside lua_binding_protect(); outside of it an
 * allocation failure would end the process. */
#include "plugin/worker_lua.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/lua_json.h"

enum {
    MAX_IDLE = 256,         /* coroutines kept for reuse */
    CONFS_UNSWEPT = 1000,   /* tables kept however old */
    CONF_UNUSED_MS = 60000, /* beyond that number, unused tables go after this time */
    SWEEP_INTERVAL_MS = 1000,
};

struct conf_entry {
    uint64_t serial; /* its bytes are the key */
    int ref;
    int64_t used_at_ms;
};

struct worker_lua *worker_lua_create(const struct pdk *kong, const struct plugin_search *search,
                                     bool is_jit_on, char **error)
{
    struct worker_lua *lua = calloc(1, sizeof(*lua));
    if (lua == NULL) {
        *error = strdup("out of memory");
        return NULL;
    }
    struct lua_binding_options options = {.host = kong,
                                          .lua_path = search->lua_path,
                                          .lua_cpath = search->lua_cpath,
                                          .memory_limit = PLUGIN_LUA_MEMORY_BYTES,
                                          .budget = PLUGIN_LUA_INSTRUCTIONS,
                                          .is_jit_on = is_jit_on};
    if (!lua_binding_open(&lua->binding, &options, error)) {
        free(lua);
        return NULL;
    }
    return lua;
}

void worker_lua_destroy(struct worker_lua *lua)
{
    if (lua == NULL)
        return;
    size_t position = 0;
    for (struct map_slot *slot; (slot = map_next(&lua->confs, &position)) != NULL;)
        free(slot->value);
    map_clear(&lua->confs);
    while (lua->idle != NULL) {
        struct worker_lua_coroutine *coroutine = lua->idle;
        lua->idle = coroutine->next;
        free(coroutine);
    }
    lua_binding_close(&lua->binding);
    free(lua);
}

size_t worker_lua_memory(const struct worker_lua *lua)
{
    return lua->binding.memory_bytes;
}

/* ---------------------------------------------------------------------------------- coroutines */
static int make_coroutine(lua_State *L)
{
    struct worker_lua_coroutine *coroutine = lua_touserdata(L, 1);
    lua_State *state = lua_newthread(L);
    coroutine->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    coroutine->state = state;
    return 0;
}

struct worker_lua_coroutine *worker_lua_acquire(struct worker_lua *lua)
{
    struct worker_lua_coroutine *coroutine = lua->idle;
    char *error = NULL;
    if (coroutine != NULL) {
        lua->idle = coroutine->next;
        lua->idle_count--;
        return coroutine;
    }
    coroutine = calloc(1, sizeof(*coroutine));
    if (coroutine == NULL)
        return NULL;
    if (!lua_binding_protect(&lua->binding, make_coroutine, coroutine, &error)) {
        free(error);
        free(coroutine);
        return NULL;
    }
    return coroutine;
}

void worker_lua_release(struct worker_lua *lua, struct worker_lua_coroutine *coroutine)
{
    if (lua->idle_count >= MAX_IDLE) {
        worker_lua_drop(lua, coroutine);
        return;
    }
    lua_settop(coroutine->state, 0);
    coroutine->next = lua->idle;
    lua->idle = coroutine;
    lua->idle_count++;
}

void worker_lua_drop(struct worker_lua *lua, struct worker_lua_coroutine *coroutine)
{
    luaL_unref(lua->binding.lua, LUA_REGISTRYINDEX, coroutine->ref);
    free(coroutine);
}

/* ------------------------------------------------------------------------------- configurations */
struct conf_build {
    const struct plugin_config *config;
    int ref;
};

static void set_text(lua_State *L, const char *name, struct slice text)
{
    if (text.ptr == NULL)
        return;
    lua_pushlstring(L, text.ptr, text.len);
    lua_setfield(L, -2, name);
}

static int build_conf(lua_State *L)
{
    struct conf_build *build = lua_touserdata(L, 1);
    const struct plugin_config *config = build->config;
    if (config->json != NULL && json_is_object(config->json))
        lua_json_push(L, config->json, false);
    else
        lua_newtable(L);
    set_text(L, "route_id", config->route_id);
    set_text(L, "service_id", config->service_id);
    set_text(L, "consumer_id", config->consumer_id);
    set_text(L, "plugin_instance_name", config->instance_name);
    set_text(L, "__plugin_id", config->id);
    build->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static struct slice key_of(const uint64_t *serial)
{
    return slice_make((const char *)serial, sizeof(*serial));
}

/* Drops tables that no request has used for a while. Removing restarts the walk: the map may move
 * its slots. Rare: a few times a minute at most, and only with very many configurations. */
static void sweep(struct worker_lua *lua, int64_t now_ms)
{
    if (lua->confs.count < CONFS_UNSWEPT || now_ms - lua->swept_at_ms < SWEEP_INTERVAL_MS)
        return;
    lua->swept_at_ms = now_ms;
    size_t count = 0;
    struct conf_entry **old = calloc(lua->confs.count, sizeof(struct conf_entry *));
    if (old == NULL)
        return;
    size_t position = 0;
    for (struct map_slot *slot; (slot = map_next(&lua->confs, &position)) != NULL;) {
        struct conf_entry *entry = slot->value;
        if (now_ms - entry->used_at_ms > CONF_UNUSED_MS)
            old[count++] = entry;
    }
    for (size_t i = 0; i < count; i++) {
        (void)map_remove(&lua->confs, key_of(&old[i]->serial));
        luaL_unref(lua->binding.lua, LUA_REGISTRYINDEX, old[i]->ref);
        free(old[i]);
    }
    free(old);
}

static bool add_conf(struct worker_lua *lua, const struct plugin_config *config, int64_t now_ms,
                     int *ref, char **error)
{
    struct conf_build build = {config, LUA_NOREF};
    struct conf_entry *entry = malloc(sizeof(*entry));
    sweep(lua, now_ms);
    if (entry == NULL) {
        *error = strdup("out of memory");
        return false;
    }
    if (!lua_binding_protect(&lua->binding, build_conf, &build, error)) {
        free(entry);
        return false;
    }
    *entry = (struct conf_entry){config->serial, build.ref, now_ms};
    if (!map_set(&lua->confs, key_of(&entry->serial), entry)) {
        luaL_unref(lua->binding.lua, LUA_REGISTRYINDEX, entry->ref);
        free(entry);
        *error = strdup("out of memory");
        return false;
    }
    *ref = entry->ref;
    return true;
}

bool worker_lua_conf(struct worker_lua *lua, const struct plugin_config *config, int *ref,
                     char **error)
{
    const struct pdk *host = lua->binding.host;
    int64_t now_ms = host->node->now_ms(host);
    struct conf_entry *entry = map_get(&lua->confs, key_of(&config->serial));
    if (entry == NULL)
        return add_conf(lua, config, now_ms, ref, error);
    entry->used_at_ms = now_ms;
    *ref = entry->ref;
    return true;
}
