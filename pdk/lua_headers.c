/* SPDX-License-Identifier: Apache-2.0 */
/* lua_headers.c -- header lists and query arguments as Lua tables, and back.
 *
 * Keys are lower case; a metatable finds them in any case and with "_" for "-", as Kong's
 * get_headers() does. */
#include <lauxlib.h>

#include "lua_binding_function.h"

enum { MAX_DEFAULT = 100, MAX_MOST = 1000 };

size_t lua_headers_max(lua_State *L, const char *name)
{
    if (lua_isnoneornil(L, 1))
        return MAX_DEFAULT;
    if (lua_type(L, 1) != LUA_TNUMBER)
        luaL_error(L, "%s must be a number", name);
    double max = lua_tonumber(L, 1);
    if (!(max >= 1))
        luaL_error(L, "%s must be >= 1", name);
    if (max > MAX_MOST)
        luaL_error(L, "%s must be <= %d", name, MAX_MOST);
    return (size_t)max;
}

void lua_headers_collect(lua_State *L)
{
    lua_pushvalue(L, -2);
    lua_rawget(L, -4); /* table key value old */
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
    } else if (lua_istable(L, -1)) {
        lua_insert(L, -2);
        lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
        lua_pop(L, 2);
        return;
    } else {
        lua_createtable(L, 2, 0); /* table key value old array */
        lua_insert(L, -3);
        lua_rawseti(L, -3, 1);
        lua_rawseti(L, -2, 2);
    }
    lua_rawset(L, -3);
}

static void push_lower(lua_State *L, const char *text, size_t len, bool is_dashed)
{
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        luaL_addchar(&out, is_dashed && c == '_' ? '-' : c);
    }
    luaL_pushresult(&out);
}

/* __index of a header table: the key was not there as it was written. */
static int find_any_case(lua_State *L)
{
    size_t len = 0;
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    const char *name = lua_tolstring(L, 2, &len);
    push_lower(L, name, len, true);
    lua_rawget(L, 1);
    return 1;
}

static void set_metatable(lua_State *L)
{
    if (luaL_newmetatable(L, "kong.headers") != 0) {
        lua_pushcfunction(L, find_any_case);
        lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
}

int lua_headers_push(lua_State *L, struct lua_binding *self, lua_headers_at at)
{
    size_t max = lua_headers_max(L, "max_headers");
    struct pdk_str name, value;
    lua_createtable(L, 0, 8);
    set_metatable(L);
    size_t index = 0;
    for (; at(self->req, index, &name, &value); index++) {
        if (index == max) {
            lua_pushliteral(L, "truncated");
            return 2;
        }
        push_lower(L, name.ptr, name.len, false);
        lua_pushlstring(L, value.ptr, value.len);
        lua_headers_collect(L);
    }
    return 1;
}

/* Text of a header value on the stack, which may be converted in place; false: not usable. */
static bool to_value(lua_State *L, int index, struct pdk_str *out)
{
    int type = lua_type(L, index);
    if (type == LUA_TBOOLEAN) {
        *out = lua_toboolean(L, index) ? PDK_STR("true") : PDK_STR("false");
        return true;
    }
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        return false;
    out->ptr = lua_tolstring(L, index, &out->len);
    return true;
}

static int refuse_value(lua_State *L, int index, const char *expected)
{
    return luaL_error(L, "invalid header value for \"%s\": got %s, expected %s", lua_tostring(L, 1),
                      luaL_typename(L, index), expected);
}

int lua_headers_put(lua_State *L, struct lua_binding *self, lua_headers_put_fn first,
                    lua_headers_put_fn more)
{
    struct pdk_str value;
    if (lua_type(L, 1) != LUA_TSTRING)
        return luaL_error(L, "invalid header name \"%s\": got %s, expected string",
                          lua_isnumber(L, 1) ? lua_tostring(L, 1) : "?", luaL_typename(L, 1));
    struct pdk_str name = lua_binding_string(L, 1, "header must be a string");
    if (!lua_istable(L, 2)) {
        if (!to_value(L, 2, &value))
            return refuse_value(L, 2, "array of string, string, number or boolean");
        return lua_binding_result(L, first(self->req, name, value));
    }
    size_t count = lua_objlen(L, 2);
    for (size_t i = 1; i <= count; i++) { /* all or none */
        lua_rawgeti(L, 2, (int)i);
        if (!to_value(L, -1, &value))
            return refuse_value(L, lua_gettop(L), "string, number or boolean in the array");
        lua_pop(L, 1);
    }
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, 2, (int)i);
        (void)to_value(L, -1, &value);
        lua_binding_result(L, (i == 1 ? first : more)(self->req, name, value));
        lua_pop(L, 1);
    }
    return 0;
}
