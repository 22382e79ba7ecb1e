/* SPDX-License-Identifier: Apache-2.0 */
/* worker_lua.h -- inside of struct worker_lua, for plugin_lua.c and worker_lua.c only: the Lua
 * state of a worker, its pool of coroutines and its tables of plugin configurations. */
#ifndef SLUICE_PLUGIN_WORKER_LUA_H
#define SLUICE_PLUGIN_WORKER_LUA_H

#include "base/map.h"
#include "lua_binding.h"
#include "plugin/plugin_lua.h"

/* A Lua thread, kept alive by the registry. Idle ones are in the pool with an empty stack. */
struct worker_lua_coroutine {
    lua_State *state;
    int ref;
    struct worker_lua_coroutine *next;
};

struct worker_lua {
    struct lua_binding binding;
    struct worker_lua_coroutine *idle;
    unsigned idle_count;
    unsigned suspended_count; /* coroutines that requests hold now */
    struct map confs;         /* serial to struct conf_entry */
    int64_t swept_at_ms;
};

/* NULL: out of memory (nothing is left behind). */
struct worker_lua_coroutine *worker_lua_acquire(struct worker_lua *lua)
    __attribute__((warn_unused_result));
/* Gives a coroutine back that has run to its end. */
void worker_lua_release(struct worker_lua *lua, struct worker_lua_coroutine *coroutine);
/* Ends one that cannot be used again: it failed, or waits for what will not come. */
void worker_lua_drop(struct worker_lua *lua, struct worker_lua_coroutine *coroutine);

/* Registry reference of the `conf` table of a configuration, the same table until the row changes.
 * False: *error is a heap text. */
bool worker_lua_conf(struct worker_lua *lua, const struct plugin_config *config, int *ref,
                     char **error) __attribute__((warn_unused_result));

#endif
