/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_c.c -- shared objects as plugins. Loaded with RTLD_LOCAL, and the gateway exports no
 * symbols: all that passes between the two goes through the tables of pdk.h. */
#include "plugin/plugin_c.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "plugin/plugin_c_schema.h"
#include "plugin/plugin_conf.h"

enum { PATHS_MAX_BYTES = 64 * 1024, PATH_BYTES = 4096 };

/* The `host` of a plugin_type. */
struct shared_object {
    void *handle;
    const struct pdk_plugin *plugin;
    const struct pdk *kong;
    struct arena arena; /* the schema */
};

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text_of(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

/* NULL if the table is one this gateway can call; else why not. */
static char *check_table(const char *name, const char *path, const struct pdk_plugin *plugin)
{
    if (plugin->abi != PDK_ABI)
        return text_of("plugin '%s' (%s) was built for PDK ABI %u; this gateway has ABI %u: "
                       "rebuild it against the installed pdk.h",
                       name, path, plugin->abi, PDK_ABI);
    if (plugin->size < sizeof(struct pdk_plugin))
        return text_of("plugin '%s' (%s) describes itself in %zu bytes where %zu are expected: "
                       "rebuild it against the installed pdk.h",
                       name, path, plugin->size, sizeof(struct pdk_plugin));
    if (plugin->name == NULL || strcmp(plugin->name, name) != 0)
        return text_of("plugin '%s' (%s) calls itself '%s'", name, path,
                       plugin->name == NULL ? "" : plugin->name);
    if (plugin->version == NULL)
        return text_of("plugin '%s' (%s) has no version", name, path);
    return NULL;
}

static unsigned phases_of(const struct pdk_plugin *plugin)
{
    return (plugin->rewrite != NULL ? 1u << PLUGIN_REWRITE : 0) |
           (plugin->access != NULL ? 1u << PLUGIN_ACCESS : 0) |
           (plugin->header != NULL ? 1u << PLUGIN_HEADER : 0) |
           (plugin->body != NULL ? 1u << PLUGIN_BODY : 0) |
           (plugin->log != NULL ? 1u << PLUGIN_LOG : 0);
}

void plugin_c_unload(struct plugin_type *type)
{
    if (type == NULL)
        return;
    struct shared_object *object = type->host;
    if (object != NULL) {
        arena_clear(&object->arena);
        if (object->handle != NULL)
            dlclose(object->handle);
        free(object);
    }
    free(type->name);
    free(type->version);
    free(type->path);
    free(type);
}

static struct plugin_type *load_file(const char *name, const char *path, const struct pdk *kong,
                                     char **error)
{
    struct plugin_type *type = calloc(1, sizeof(*type));
    struct shared_object *object = calloc(1, sizeof(*object));
    if (type == NULL || object == NULL) {
        free(object);
        free(type);
        *error = strdup("out of memory");
        return NULL;
    }
    type->host = object;
    arena_init(&object->arena, NULL);
    object->kong = kong;
    object->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object->handle == NULL) {
        *error = text_of("plugin '%s' (%s) cannot be loaded: %s", name, path, dlerror());
        goto fail;
    }
    object->plugin = dlsym(object->handle, "pdk_plugin");
    if (object->plugin == NULL) {
        *error = text_of("plugin '%s' (%s) does not define PDK_PLUGIN(...)", name, path);
        goto fail;
    }
    *error = check_table(name, path, object->plugin);
    if (*error != NULL)
        goto fail;
    char *why = NULL;
    type->schema = plugin_c_schema(&object->arena, object->plugin, kong, &why);
    if (type->schema == NULL) {
        *error = text_of("plugin '%s' (%s): %s", name, path, why == NULL ? "out of memory" : why);
        free(why);
        goto fail;
    }
    type->vtable = &plugin_c_vtable;
    type->name = strdup(name);
    type->version = strdup(object->plugin->version);
    type->path = strdup(path);
    type->priority = object->plugin->priority;
    type->phases = phases_of(object->plugin);
    if (type->name != NULL && type->version != NULL && type->path != NULL)
        return type;
    *error = strdup("out of memory");
fail:
    plugin_c_unload(type);
    return NULL;
}

/* <dir>/<name>.so, or with "_" for "-": C files are named so. False: neither is there. */
static bool find_file(const char *dir, const char *name, char path[PATH_BYTES],
                      struct buffer *tried)
{
    for (int is_underscored = 0; is_underscored < 2; is_underscored++) {
        int n = snprintf(path, PATH_BYTES, "%s/%s.so", dir, name);
        if (n < 0 || n >= PATH_BYTES)
            return false;
        char *file = path + strlen(dir) + 1;
        for (char *c = file; is_underscored && *c != '\0'; c++)
            if (*c == '-')
                *c = '_';
        if (access(path, F_OK) == 0)
            return true;
        if (is_underscored && strchr(name, '-') == NULL)
            break;
        /* a list that is too long is cut: it is for people */
        if (buffer_append(tried, SLICE("\n  "), PATHS_MAX_BYTES) &&
            !buffer_append(tried, slice_of(path), PATHS_MAX_BYTES))
            break;
    }
    return false;
}

enum plugin_c_load_result plugin_c_load(const char *name, const struct plugin_search *search,
                                        const struct pdk *kong, struct plugin_type **out,
                                        char **not_found, char **error)
{
    struct buffer tried = {0};
    char path[PATH_BYTES];
    enum plugin_c_load_result result = PLUGIN_C_NOT_FOUND;
    *out = NULL;
    for (const char *const *dir = search->c_dirs; dir != NULL && *dir != NULL; dir++) {
        if (!find_file(*dir, name, path, &tried))
            continue;
        *out = load_file(name, path, kong, error);
        result = *out == NULL ? PLUGIN_C_FAILED : PLUGIN_C_LOADED;
        break;
    }
    if (result == PLUGIN_C_NOT_FOUND)
        *not_found = slice_dup(buffer_slice(&tried));
    buffer_clear(&tried);
    return result;
}

static bool configure(const struct plugin_type *type, struct plugin_config *config, char **error)
{
    const struct shared_object *object = type->host;
    if (object->plugin->configure == NULL)
        return true;
    struct pdk_conf conf = {config->json, &config->arena, NULL};
    if (object->plugin->configure(object->kong, &conf, &config->conf) == PDK_OK)
        return true;
    *error = text_of("plugin '%s' refused its configuration", type->name);
    return false;
}

static bool worker_start(struct plugin_worker *self, struct worker_lua *lua, char **error)
{
    (void)lua;
    const struct shared_object *object = self->type->host;
    if (object->plugin->init_worker == NULL ||
        object->plugin->init_worker(self->kong, &self->kong->state) == PDK_OK)
        return true;
    *error = text_of("plugin '%s' failed in init_worker", self->type->name);
    return false;
}

static void worker_stop(struct plugin_worker *self)
{
    const struct shared_object *object = self->type->host;
    if (object->plugin->exit_worker != NULL)
        object->plugin->exit_worker(self->kong);
}

static enum pdk_result run(struct plugin_worker *self, enum plugin_phase phase,
                           struct pdk_request *req, const struct plugin_config *config)
{
    const struct shared_object *object = self->type->host;
    const struct pdk_plugin *plugin = object->plugin;
    switch (phase) {
    case PLUGIN_REWRITE: return plugin->rewrite(self->kong, req, config->conf);
    case PLUGIN_ACCESS: return plugin->access(self->kong, req, config->conf);
    case PLUGIN_HEADER: return plugin->header(self->kong, req, config->conf);
    case PLUGIN_BODY: return plugin->body(self->kong, req, config->conf);
    case PLUGIN_LOG: return plugin->log(self->kong, req, config->conf);
    case PLUGIN_RESPONSE:
    case PLUGIN_PHASES: break;
    }
    return PDK_OK;
}

const struct plugin_vtable plugin_c_vtable = {
    .configure = configure,
    .worker_start = worker_start,
    .worker_stop = worker_stop,
    .run = run,
};
