/* SPDX-License-Identifier: Apache-2.0 */
/* lua_schema.c -- a plugin's schema.lua as a struct schema: the loader and the checks that are
 * code.
 *
 * The translation is in lua_schema_read.c. What it makes lives in the arena of struct lua_schema;
 * its checks in code refer to functions that the registry of the Lua state holds. */
#include "plugin/lua_schema.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "plugin/lua_json.h"
#include "plugin/lua_schema_read.h"
#include "plugin/plugin_lua.h"
#include "plugin/plugin_lua_load.h"

/* ------------------------------------------------------------------------------- checks in code */
struct check_call {
    const struct lua_schema_code *code;
    const json_t *value;
    struct schema_errors *errors; /* entity checks only */
    char *message;                /* fields only */
};

/* Message of a check that said no: its second result. */
static const char *refusal(lua_State *L)
{
    return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "invalid value";
}

static int call_validator(lua_State *L)
{
    struct check_call *call = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->code->ref);
    lua_json_push(L, call->value, false);
    lua_call(L, 1, 2);
    if (!lua_toboolean(L, -2))
        call->message = strdup(refusal(L));
    return 0;
}

/* False: the code itself failed, and the log has the traceback. */
static bool call_code(struct check_call *call, lua_CFunction fn)
{
    struct lua_schema *owner = call->code->owner;
    char *error = NULL;
    lua_binding_begin(&owner->binding, owner->binding.host, NULL, 0, 0);
    bool is_ok = lua_binding_protect(&owner->binding, fn, call, &error);
    lua_binding_end(&owner->binding);
    if (!is_ok)
        log_write(owner->log, LOG_LEVEL_ERROR, "[%s] error in a check of schema.lua: %s",
                  owner->schema.name, error != NULL ? error : "out of memory");
    free(error);
    return is_ok;
}

char *lua_schema_validate(const void *context, const json_t *value)
{
    struct check_call call = {.code = context, .value = value};
    if (json_is_null(value))
        return NULL;
    if (call_code(&call, call_validator))
        return call.message;
    free(call.message);
    return strdup("the plugin's validator failed; see the gateway's log");
}

/* A table of messages by field, or one message for the whole record. */
static void report(lua_State *L, struct schema_errors *errors)
{
    if (!lua_istable(L, -1)) {
        schema_errors_add(errors, "@entity", "%s", refusal(L));
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        if (lua_type(L, -2) == LUA_TSTRING)
            schema_errors_add(errors, lua_tostring(L, -2), "%s", refusal(L));
        lua_pop(L, 1);
    }
}

static int call_entity_check(lua_State *L)
{
    struct check_call *call = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->code->ref);
    lua_json_push(L, call->value, true);
    lua_call(L, 1, 2);
    if (!lua_toboolean(L, -2))
        report(L, call->errors);
    return 0;
}

static bool is_set(const json_t *record, const char *path)
{
    struct slice rest = slice_of(path);
    struct slice part;
    while (slice_split(&rest, '.', &part)) {
        char name[128];
        if (!json_is_object(record) || part.len >= sizeof(name))
            return false;
        (void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(part));
        record = json_object_get(record, name);
    }
    return record != NULL && !json_is_null(record);
}

void lua_schema_check(const void *context, const json_t *entity, struct schema_errors *errors)
{
    const struct lua_schema_code *code = context;
    struct check_call call = {.code = code, .value = entity, .errors = errors};
    for (size_t i = 0; code->needed != NULL && code->needed[i] != NULL; i++)
        if (!is_set(entity, code->needed[i]))
            return;
    if (!call_code(&call, call_entity_check))
        schema_errors_add(errors, "@entity",
                          "the plugin's entity check failed; see the gateway's log");
}

/* --------------------------------------------------------------------------------------- loading
 */
struct loading {
    struct lua_schema *out;
    bool has_module;
};

static int load_schema(lua_State *L)
{
    struct loading *loading = lua_touserdata(L, 1);
    if (loading->has_module)
        plugin_lua_load_require(L, loading->out->schema.name, "schema");
    else if (luaL_dostring(L, "return { fields = {} }") != 0)
        return lua_error(L);
    if (!lua_istable(L, -1))
        return luaL_error(L, "schema.lua must return a table, got a %s", luaL_typename(L, -1));
    lua_schema_read(L, lua_gettop(L), loading->out);
    return 0;
}

struct lua_schema *lua_schema_load(const char *name, const struct plugin_search *search,
                                   const struct pdk *kong, struct log *log, char **error)
{
    struct lua_schema *out = calloc(1, sizeof(*out));
    struct lua_binding_options options = {.host = kong,
                                          .lua_path = search->lua_path,
                                          .lua_cpath = search->lua_cpath,
                                          .memory_limit = PLUGIN_LUA_MEMORY_BYTES,
                                          .budget = PLUGIN_LUA_INSTRUCTIONS};
    *error = NULL;
    if (out == NULL)
        goto fail;
    arena_init(&out->arena, NULL);
    out->log = log;
    out->schema.name = arena_copy(&out->arena, slice_of(name)).ptr;
    if (out->schema.name == NULL || !lua_binding_open(&out->binding, &options, error))
        goto fail;
    char *path = plugin_lua_load_find(out->binding.path, name, "schema", NULL);
    struct loading loading = {out, path != NULL};
    free(path);
    if (!lua_binding_protect(&out->binding, load_schema, &loading, error))
        goto fail;
    return out;
fail:
    if (*error == NULL)
        *error = strdup("out of memory");
    lua_schema_destroy(out);
    return NULL;
}

void lua_schema_destroy(struct lua_schema *schema)
{
    if (schema == NULL)
        return;
    lua_binding_close(&schema->binding);
    arena_clear(&schema->arena);
    free(schema);
}

struct schema *lua_schema_get(struct lua_schema *schema)
{
    return &schema->schema;
}
