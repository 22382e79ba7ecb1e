/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c -- the set of loaded plugins, whatever they are written in, and configurations'
 * lifetimes. */
#include "plugin/plugin.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugin/plugin_c.h"
#include "plugin/plugin_lua.h"

struct plugin_config *plugin_config_ref(struct plugin_config *config)
{
    atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
    return config;
}

void plugin_config_unref(struct plugin_config *config)
{
    if (config == NULL || atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) != 1)
        return;
    json_decref(config->json);
    arena_clear(&config->arena);
    free(config);
}

static void unload(struct plugin_type *type)
{
    if (type == NULL)
        return;
    if (type->vtable == &plugin_lua_vtable)
        plugin_lua_unload(type);
    else
        plugin_c_unload(type);
}

void plugin_set_clear(struct plugin_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        unload(set->types[i]);
    free(set->types);
    *set = (struct plugin_set){0};
}

/* C first: a shared object and a Lua plugin of one name are the same plugin, the faster one wins.
 */
static struct plugin_type *load(const char *name, const struct plugin_search *search,
                                const struct pdk *kong, struct log *log, char **error)
{
    struct plugin_type *type = NULL;
    char *c_paths = NULL, *lua_paths = NULL;
    switch (plugin_c_load(name, search, kong, &type, &c_paths, error)) {
    case PLUGIN_C_LOADED: return type;
    case PLUGIN_C_FAILED: return NULL;
    case PLUGIN_C_NOT_FOUND: break;
    }
    if (plugin_lua_load(name, search, kong, log, &type, &lua_paths, error) ==
        PLUGIN_LUA_NOT_FOUND) {
        type = NULL;
        if (asprintf(error, "%s plugin is enabled but not installed; no file%s\n%s", name,
                     c_paths == NULL ? "" : c_paths, lua_paths == NULL ? "" : lua_paths) < 0)
            *error = NULL;
    }
    free(c_paths);
    free(lua_paths);
    return type;
}

/* Running order: priority descending, then name descending (as in Kong). */
static int by_order(const void *a, const void *b)
{
    const struct plugin_type *const *left = a, *const *right = b;
    if ((*left)->priority != (*right)->priority)
        return (*left)->priority > (*right)->priority ? -1 : 1;
    return strcmp((*right)->name, (*left)->name);
}

bool plugin_set_load(struct plugin_set *set, const char *const *names, size_t count,
                     const struct plugin_search *search, const struct pdk *kong, struct log *log,
                     char **error)
{
    *set = (struct plugin_set){0};
    *error = NULL;
    set->types = calloc(count + 1, sizeof(*set->types));
    if (set->types == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (plugin_set_find(set, slice_of(names[i])) != NULL)
            continue; /* named twice */
        struct plugin_type *type = load(names[i], search, kong, log, error);
        if (type == NULL) {
            plugin_set_clear(set);
            return false;
        }
        set->types[set->count++] = type;
    }
    if (set->count > 0)
        qsort(set->types, set->count, sizeof(*set->types), by_order);
    for (size_t i = 0; i < set->count; i++)
        set->types[i]->index = i;
    return true;
}

const struct plugin_type *plugin_set_find(const struct plugin_set *set, struct slice name)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct plugin_type *type = set->types[i];
        if (type != NULL && slice_eq(slice_of(type->name), name))
            return type;
    }
    return NULL;
}
