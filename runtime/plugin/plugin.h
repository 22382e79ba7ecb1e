/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.h -- one vtable over plugins in C and in Lua, and what the rest of the runtime knows of
 * them.
 *
 * A plugin_type is a loaded plugin: made once when the gateway process starts, before any thread,
 * immutable afterwards, destroyed after the last thread has ended.
 * A plugin_config is one enabled row of the `plugins` entity, ready to run: made on the admin
 * thread, immutable, reference-counted, shared by all snapshots that hold the unchanged row, so its
 * address is a stable identity of the configuration (Lua conf tables are cached by `serial`).
 * A plugin_worker is one plugin on one worker thread. */
#ifndef SLUICE_PLUGIN_PLUGIN_H
#define SLUICE_PLUGIN_PLUGIN_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"
#include "pdk.h"

struct log;
struct schema;
struct plugin_type;
struct plugin_config;
struct plugin_worker;
struct worker_lua;

/* The phases that have a handler, in the order in which a request meets them. */
enum plugin_phase {
    PLUGIN_REWRITE,
    PLUGIN_ACCESS,
    PLUGIN_RESPONSE,
    PLUGIN_HEADER,
    PLUGIN_BODY,
    PLUGIN_LOG,
    PLUGIN_PHASES,
};

enum plugin_flags { /* the bits of enum pdk_plugin_flags */
                    PLUGIN_NO_CONSUMER = 1 << 0,
                    PLUGIN_NO_SERVICE = 1 << 1,
                    PLUGIN_NO_ROUTE = 1 << 2,
};

struct plugin_vtable {
    /* Makes config->conf from config->json (checked by the schema, defaults applied). Admin thread.
     * False: *error is a heap message that names the plugin. */
    bool (*configure)(const struct plugin_type *type, struct plugin_config *config, char **error);
    /* Runs on each worker thread at its start / end. `kong` is the plugin's own struct pdk (state
     * included), owned by the plugin_worker. `lua` is the worker's Lua host, NULL if none. */
    bool (*worker_start)(struct plugin_worker *self, struct worker_lua *lua, char **error);
    void (*worker_stop)(struct plugin_worker *self);
    /* Runs one handler. Called only for phases in type->phases. Worker thread. */
    enum pdk_result (*run)(struct plugin_worker *self, enum plugin_phase phase,
                           struct pdk_request *req, const struct plugin_config *config);
};

struct plugin_type {
    const struct plugin_vtable *vtable;
    char *name;
    char *version;
    char *path; /* file it was loaded from */
    int priority;
    unsigned flags;        /* enum plugin_flags */
    unsigned phases;       /* 1 << enum plugin_phase: has a handler */
    struct schema *schema; /* the plugin's own plugin-entity schema: its `config` record,
                              `protocols`, pinned scopes; owned */
    size_t index;          /* position in plugin_set, which is in running order */
    void *host;            /* what the vtable's language keeps (dlopen handle, Lua source) */
};

/* All loaded plugins in running order: priority descending, then name descending. */
struct plugin_set {
    struct plugin_type **types;
    size_t count;
};

struct plugin_config {
    atomic_uint refs;
    const struct plugin_type *type;
    uint64_t serial;    /* unique in this process, never reused */
    struct arena arena; /* holds conf and the strings below */
    struct slice id;
    struct slice route_id, service_id, consumer_id; /* {NULL, 0}: not scoped */
    struct slice instance_name;
    unsigned protocols; /* 1 << enum protocol (config/entity.h) */
    json_t *json;       /* the `config` record; owned; read-only once shared */
    void *conf;         /* C: what configure() made. Lua: NULL */
};

struct plugin_worker {
    const struct plugin_type *type;
    struct pdk *kong;       /* owned by the worker */
    struct worker_lua *lua; /* borrowed; NULL for C */
    void *host;             /* the vtable's own */
};

struct plugin_config *plugin_config_ref(struct plugin_config *config);
/* The last reference frees it; any thread. NULL is allowed. */
void plugin_config_unref(struct plugin_config *config);

/* Loads every name of `names` (already expanded; "bundled" is not a name here), C or Lua, and sorts
 * them. `c_paths` / `lua_paths` are search paths; kong is the table for check/configure calls.
 * False: *error is a heap text that names plugin, file, reason and every path searched. */
struct plugin_search {
    const char *const *c_dirs; /* NULL-terminated; <dir>/<name>.so */
    const char *lua_path;      /* package.path; kong/plugins/<name>/handler.lua and
                                  <name>/handler.lua are looked for along it */
    const char *lua_cpath;
};
bool plugin_set_load(struct plugin_set *set, const char *const *names, size_t count,
                     const struct plugin_search *search, const struct pdk *kong, struct log *log,
                     char **error) __attribute__((warn_unused_result));
void plugin_set_clear(struct plugin_set *set);
const struct plugin_type *plugin_set_find(const struct plugin_set *set, struct slice name);

#endif
