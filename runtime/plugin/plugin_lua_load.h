/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_lua_load.h -- finding the modules of a Lua plugin; shared by the loader, the schema and
 * the workers. */
#ifndef SLUICE_PLUGIN_PLUGIN_LUA_LOAD_H
#define SLUICE_PLUGIN_PLUGIN_LUA_LOAD_H

#include <lua.h>

/* Pushes what `require "kong.plugins.<name>.<part>"` returns. Raises Lua errors. */
void plugin_lua_load_require(lua_State *L, const char *name, const char *part);

/* File of <name>/<part>.lua along a package.path, with or without kong/plugins/ before it: heap
 * text, or NULL: *tried (if not NULL) is a heap text of the paths, one a line, or NULL when out of
 * memory. */
char *plugin_lua_load_find(const char *lua_path, const char *name, const char *part, char **tried);

#endif
