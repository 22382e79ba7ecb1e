/* SPDX-License-Identifier: Apache-2.0 */
/* lua_schema.h -- a plugin's schema.lua as a struct schema.
 *
 * The description is translated once, when the plugin is loaded. What is code in it (custom
 * validators, custom entity checks) stays in the Lua state of this struct and is called by the
 * checks of the schema: on the admin thread, or before threads start, never from a worker. */
#ifndef SLUICE_PLUGIN_LUA_SCHEMA_H
#define SLUICE_PLUGIN_LUA_SCHEMA_H

#include <stdbool.h>

struct log;
struct lua_schema;
struct pdk;
struct plugin_search;
struct schema;

/* Loads the module "kong.plugins.<name>.schema" and translates it. A plugin without the module gets
 * an empty `config` record. `kong` and the strings of `search` must outlive the result. What is
 * understood but not supported (such as transformations) is logged as a warning.
 * NULL: *error is a heap text that names plugin, field and reason. */
struct lua_schema *lua_schema_load(const char *name, const struct plugin_search *search,
                                   const struct pdk *kong, struct log *log, char **error)
    __attribute__((warn_unused_result));
/* NULL is allowed. */
void lua_schema_destroy(struct lua_schema *schema);

/* Owned by `schema`; lives as long. */
struct schema *lua_schema_get(struct lua_schema *schema);

#endif
