/* SPDX-License-Identifier: Apache-2.0 */
/* lua_json.c -- jansson values as Lua values, and back. */
#include "plugin/lua_json.h"

#include <lauxlib.h>
#include <math.h>

enum { MAX_DEPTH = 64 };

static void push_object(lua_State *L, const json_t *object, bool is_null_kept)
{
    const char *key;
    json_t *member;
    union {
        const json_t *given;
        json_t *iterated;
    } in = {object}; /* jansson's iteration takes no const, and changes nothing */
    lua_createtable(L, 0, (int)json_object_size(object));
    json_object_foreach(in.iterated, key, member)
    {
        if (json_is_null(member) && !is_null_kept)
            continue;
        lua_json_push(L, member, is_null_kept);
        lua_setfield(L, -2, key);
    }
}

void lua_json_push(lua_State *L, const json_t *value, bool is_null_kept)
{
    luaL_checkstack(L, 4, "JSON value nested too deeply");
    switch (json_typeof(value)) {
    case JSON_OBJECT: push_object(L, value, is_null_kept); break;
    case JSON_ARRAY:
        lua_createtable(L, (int)json_array_size(value), 0);
        for (size_t i = 0; i < json_array_size(value); i++) {
            lua_json_push(L, json_array_get(value, i), is_null_kept);
            lua_rawseti(L, -2, (int)i + 1);
        }
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER: lua_pushnumber(L, (lua_Number)json_integer_value(value)); break;
    case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
    case JSON_TRUE: lua_pushboolean(L, 1); break;
    case JSON_FALSE: lua_pushboolean(L, 0); break;
    case JSON_NULL: lua_pushlightuserdata(L, NULL); break; /* cjson.null and ngx.null are this */
    }
}

static json_t *read_value(lua_State *L, int index, bool is_array, int depth);

static json_t *read_array(lua_State *L, int index, size_t count, int depth)
{
    json_t *array = json_array();
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, index, (int)i);
        if (json_array_append_new(array, read_value(L, lua_gettop(L), false, depth)) != 0) {
            json_decref(array);
            array = NULL;
        }
        lua_pop(L, 1);
        if (array == NULL)
            return NULL;
    }
    return array;
}

static json_t *read_object(lua_State *L, int index, int depth)
{
    json_t *object = json_object();
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        json_t *member = read_value(L, lua_gettop(L), false, depth);
        lua_pushvalue(L, -2); /* a copy: lua_tostring() would confuse lua_next() */
        const char *key = lua_tostring(L, -1);
        if (member == NULL || key == NULL || json_object_set_new(object, key, member) != 0) {
            if (key == NULL)
                json_decref(member);
            json_decref(object);
            lua_pop(L, 3);
            return NULL;
        }
        lua_pop(L, 2);
    }
    return object;
}

static json_t *read_number(double value)
{
    if (!isfinite(value))
        return json_null();
    if (value == floor(value) && fabs(value) < 9007199254740992.0)
        return json_integer((json_int_t)value);
    return json_real(value);
}

static json_t *read_value(lua_State *L, int index, bool is_array, int depth)
{
    if (depth > MAX_DEPTH)
        return NULL;
    luaL_checkstack(L, 5, "table nested too deeply");
    switch (lua_type(L, index)) {
    case LUA_TSTRING: {
        size_t len = 0;
        const char *text = lua_tolstring(L, index, &len);
        return json_stringn(text, len);
    }
    case LUA_TNUMBER: return read_number(lua_tonumber(L, index));
    case LUA_TBOOLEAN: return json_boolean(lua_toboolean(L, index));
    case LUA_TNIL: return json_null();
    case LUA_TLIGHTUSERDATA: return lua_touserdata(L, index) == NULL ? json_null() : NULL;
    case LUA_TTABLE: {
        size_t count = lua_objlen(L, index);
        if (count == 0 && is_array) {
            lua_pushnil(L);
            if (lua_next(L, index) == 0)
                return json_array();
            lua_pop(L, 2);
        }
        return count > 0 ? read_array(L, index, count, depth + 1)
                         : read_object(L, index, depth + 1);
    }
    default: return NULL;
    }
}

json_t *lua_json_read(lua_State *L, int index, bool is_array)
{
    return read_value(L, index < 0 ? lua_gettop(L) + index + 1 : index, is_array, 0);
}
