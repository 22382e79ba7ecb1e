/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_lua_load.c -- reads a Lua plugin once, before any thread: where it is, what it declares.
 */
#include "plugin/plugin_lua_load.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "lua_binding.h"
#include "plugin/lua_schema.h"
#include "plugin/plugin_lua.h"

enum { MAX_TRIED_BYTES = 64 * 1024, MAX_NAME_BYTES = 100 };

static const char *const layouts[] = {"kong/plugins/", ""};

void plugin_lua_load_require(lua_State *L, const char *name, const char *part)
{
    lua_getglobal(L, "require");
    lua_pushfstring(L, "kong.plugins.%s.%s", name, part);
    lua_call(L, 1, 1);
}

/* One template of the path with `module` for each "?"; NULL: out of memory or too long. */
static char *expand(struct slice pattern, const char *module)
{
    struct buffer out = {0};
    struct slice part;
    bool is_first = true, is_ok = true;
    while (is_ok && slice_split(&pattern, '?', &part)) {
        if (!is_first)
            is_ok = buffer_append(&out, slice_of(module), MAX_TRIED_BYTES);
        is_ok = is_ok && buffer_append(&out, part, MAX_TRIED_BYTES);
        is_first = false;
    }
    char *path = is_ok ? slice_dup(buffer_slice(&out)) : NULL;
    buffer_clear(&out);
    return path;
}

/* The first file of a path that is there; those that are not are added to `tried`. */
static char *find_module(struct slice path, const char *module, struct buffer *tried)
{
    struct slice pattern;
    while (slice_split(&path, ';', &pattern)) {
        char *file = pattern.len == 0 ? NULL : expand(pattern, module);
        if (file != NULL && access(file, R_OK) == 0)
            return file;
        /* A list that is full is longer than anyone would read. */
        if (file != NULL && buffer_append(tried, slice_of(file), MAX_TRIED_BYTES))
            (void)!buffer_append(tried, SLICE("\n"), MAX_TRIED_BYTES);
        free(file);
    }
    return NULL;
}

char *plugin_lua_load_find(const char *lua_path, const char *name, const char *part, char **tried)
{
    struct buffer paths = {0};
    char *file = NULL;
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]) && file == NULL; i++) {
        char module[MAX_NAME_BYTES + 64];
        (void)snprintf(module, sizeof(module), "%s%s/%s", layouts[i], name, part);
        file = find_module(slice_of(lua_path), module, &paths);
    }
    if (tried != NULL && file == NULL)
        *tried = slice_dup(buffer_slice(&paths));
    buffer_clear(&paths);
    return file;
}

/* ---------------------------------------------------------------------------------- declaration */
struct declaration {
    struct plugin_type *type;
};

static const struct {
    const char *method;
    enum plugin_phase phase;
} methods[] = {
    {"rewrite", PLUGIN_REWRITE},      {"access", PLUGIN_ACCESS},    {"response", PLUGIN_RESPONSE},
    {"header_filter", PLUGIN_HEADER}, {"body_filter", PLUGIN_BODY}, {"log", PLUGIN_LOG},
};

static const struct {
    const char *member;
    unsigned flag;
} opt_outs[] = {
    {"no_consumer", PLUGIN_NO_CONSUMER},
    {"no_service", PLUGIN_NO_SERVICE},
    {"no_route", PLUGIN_NO_ROUTE},
};

static void read_phases(lua_State *L, int handler, struct plugin_type *type)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        lua_getfield(L, handler, methods[i].method);
        if (lua_isfunction(L, -1))
            type->phases |= 1u << methods[i].phase;
        lua_pop(L, 1);
    }
    for (size_t i = 0; i < sizeof(opt_outs) / sizeof(opt_outs[0]); i++) {
        lua_getfield(L, handler, opt_outs[i].member);
        if (lua_toboolean(L, -1))
            type->flags |= opt_outs[i].flag;
        lua_pop(L, 1);
    }
    const unsigned filters = 1u << PLUGIN_HEADER | 1u << PLUGIN_BODY;
    if ((type->phases >> PLUGIN_RESPONSE & 1) != 0 && (type->phases & filters) != 0)
        luaL_error(L, "a response handler cannot be combined with header_filter or body_filter");
}

static int read_declaration(lua_State *L)
{
    struct declaration *declaration = lua_touserdata(L, 1);
    struct plugin_type *type = declaration->type;
    plugin_lua_load_require(L, type->name, "handler");
    int handler = lua_gettop(L);
    if (!lua_istable(L, handler))
        return luaL_error(L, "handler.lua must return a table, got a %s",
                          luaL_typename(L, handler));
    lua_getfield(L, handler, "PRIORITY");
    double priority = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || priority != (double)(int)priority)
        return luaL_error(L, "the handler has no PRIORITY: expected an integer, got %s",
                          lua_isnumber(L, -1) ? lua_tostring(L, -1) : luaL_typename(L, -1));
    type->priority = (int)priority;
    lua_getfield(L, handler, "VERSION");
    if (lua_type(L, -1) != LUA_TSTRING)
        return luaL_error(L,
                          "the handler has no VERSION: expected a string such as \"1.0.0\", "
                          "got %s",
                          luaL_typename(L, -1));
    type->version = strdup(lua_tostring(L, -1));
    read_phases(L, handler, type);
    return 0;
}

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return len > 0 && len <= MAX_NAME_BYTES && name[len] == '\0';
}

/* The scratch state in which handler.lua is read once. */
static bool open_scratch(struct lua_binding *binding, const struct plugin_search *search,
                         const struct pdk *kong, char **error)
{
    struct lua_binding_options options = {.host = kong,
                                          .lua_path = search->lua_path,
                                          .lua_cpath = search->lua_cpath,
                                          .memory_limit = PLUGIN_LUA_MEMORY_BYTES,
                                          .budget = PLUGIN_LUA_INSTRUCTIONS};
    return lua_binding_open(binding, &options, error);
}

/* Reads the plugin of type->name, whose handler.lua is type->path. */
static bool declare(struct plugin_type *type, struct lua_binding *binding, char **error)
{
    struct declaration declaration = {.type = type};
    return type->name != NULL &&
           lua_binding_protect(binding, read_declaration, &declaration, error) &&
           type->version != NULL;
}

enum plugin_lua_load_result plugin_lua_load(const char *name, const struct plugin_search *search,
                                            const struct pdk *kong, struct log *log,
                                            struct plugin_type **out, char **not_found,
                                            char **error)
{
    enum plugin_lua_load_result result = PLUGIN_LUA_FAILED;
    struct lua_binding scratch = {0};
    struct plugin_type *type = calloc(1, sizeof(*type));
    char *reason = NULL;
    *out = NULL;
    *not_found = *error = NULL;
    if (!is_name(name)) {
        *not_found = strdup("(not a plugin name: letters, digits, '-' and '_' only)\n");
        result = PLUGIN_LUA_NOT_FOUND;
        goto done;
    }
    if (type == NULL || !open_scratch(&scratch, search, kong, &reason))
        goto done;
    type->path = plugin_lua_load_find(scratch.path, name, "handler", not_found);
    if (type->path == NULL) {
        result = PLUGIN_LUA_NOT_FOUND;
        goto done;
    }
    type->vtable = &plugin_lua_vtable;
    type->name = strdup(name);
    if (!declare(type, &scratch, &reason))
        goto done;
    type->host = lua_schema_load(name, search, kong, log, &reason);
    if (type->host == NULL)
        goto done;
    type->schema = lua_schema_get(type->host);
    *out = type;
    type = NULL;
    result = PLUGIN_LUA_LOADED;
done:
    if (result == PLUGIN_LUA_FAILED &&
        asprintf(error, "plugin '%s' (%s): %s", name,
                 type != NULL && type->path != NULL ? type->path : "Lua",
                 reason != NULL ? reason : "out of memory") < 0)
        *error = NULL;
    free(reason);
    lua_binding_close(&scratch);
    plugin_lua_unload(type);
    return result;
}
