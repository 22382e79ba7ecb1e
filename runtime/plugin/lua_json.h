/* SPDX-License-Identifier: Apache-2.0 */
/* lua_json.h -- jansson values as Lua values, and back. Both may raise Lua errors (out of memory),
 * so they are called inside protected calls only. */
#ifndef SLUICE_PLUGIN_LUA_JSON_H
#define SLUICE_PLUGIN_LUA_JSON_H

#include <jansson.h>
#include <lua.h>
#include <stdbool.h>

/* Pushes one value. JSON null in objects is left out, or becomes ngx.null with `is_null_kept`; at
 * the top and in arrays it is ngx.null. Objects and arrays become tables, numbers Lua numbers. */
void lua_json_push(lua_State *L, const json_t *value, bool is_null_kept);

/* The value at `index`; new reference. A table with members 1..n is an array; an empty one is an
 * array if `is_array`. ngx.null is null; infinities are null. NULL: it holds a function or the
 * like, is nested too deeply, or out of memory. */
json_t *lua_json_read(lua_State *L, int index, bool is_array);

#endif
