/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_lua.h -- plugins written in Lua: loading them, and running their handlers on a worker.
 *
 * Loading (before any thread) reads handler.lua once in a scratch Lua state to learn PRIORITY,
 * VERSION and which phases exist, and schema.lua in a state that the plugin_type keeps for its
 * validators (see lua_schema.h). Each worker then owns one Lua state, struct worker_lua, in which
 * every plugin's handler.lua is loaded once more; modules are shared by the plugins of a worker.
 *
 * rewrite and access run in a coroutine from a pool, so that kong.response.exit() can end a handler
 * and ngx.sleep() or a body that is still on its way can suspend it; the other phases are direct
 * calls. A suspended coroutine belongs to its request and is dropped when the request ends. */
#ifndef SLUICE_PLUGIN_PLUGIN_LUA_H
#define SLUICE_PLUGIN_PLUGIN_LUA_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/plugin.h"

enum plugin_lua_load_result {
    PLUGIN_LUA_LOADED,    /* *out is the plugin */
    PLUGIN_LUA_NOT_FOUND, /* *not_found: heap text, every path that was tried, one a line */
    PLUGIN_LUA_FAILED,    /* *error: heap text that names plugin, file and reason */
};

/* Per Lua state; more is a Lua error ("not enough memory"). */
#define PLUGIN_LUA_MEMORY_BYTES ((size_t)256 << 20)
/* Instructions of one handler run; more is a Lua error. */
#define PLUGIN_LUA_INSTRUCTIONS ((uint64_t)100 * 1000 * 1000)

/* Finds <name> along search->lua_path as kong/plugins/<name>/handler.lua or <name>/handler.lua and
 * reads it with its schema.lua (if there is none: an empty `config`). Called before any thread
 * starts; plugin_lua_unload() ends the result after the last thread. */
enum plugin_lua_load_result plugin_lua_load(const char *name, const struct plugin_search *search,
                                            const struct pdk *kong, struct log *log,
                                            struct plugin_type **out, char **not_found,
                                            char **error) __attribute__((warn_unused_result));
/* Frees the whole type (name, schema, Lua state, the struct itself). NULL is allowed. */
void plugin_lua_unload(struct plugin_type *type);

extern const struct plugin_vtable plugin_lua_vtable;

/* The Lua state of one worker thread. `kong` is the worker's own table (no plugin), which must
 * outlive it, as must the strings of `search`. With `is_jit_on` a self-test of the LuaJIT build
 * runs first and refuses a defective one. NULL: *error is a heap text. */
struct worker_lua *worker_lua_create(const struct pdk *kong, const struct plugin_search *search,
                                     bool is_jit_on, char **error)
    __attribute__((warn_unused_result));
/* After worker_stop() of all Lua plugins and after the last request has ended. NULL is allowed. */
void worker_lua_destroy(struct worker_lua *lua);
/* Bytes that the state holds now, for status and tests. */
size_t worker_lua_memory(const struct worker_lua *lua);

#endif
