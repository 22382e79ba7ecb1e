/* SPDX-License-Identifier: Apache-2.0 */
/* info.c -- what the Admin API says about the node itself (reference/admin-api.md section 10). */
#include "admin/info.h"

#include <luajit.h>
#include <string.h>
#include <unistd.h>

#include "admin/call.h"
#include "config/options.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/errors.h"
#include "admin/lookup.h"
#include "plugin/plugin.h"
#include "admin/routes.h"
#include "admin/server.h"
#include "admin/write.h"

/* ------------------------------------------------------------------------------------------ node
 */

static bool collect_name(void *context, json_t *row)
{
    const json_t *name = json_object_get(row, "name");
    /* An object as a set: distinct, in the order of first use. */
    return json_is_string(name) &&
           json_object_set_new(context, json_string_value(name), json_true()) == 0;
}

/* Names of the plugins that have a row, each once. NULL: no memory; an unreachable store has none.
 */
static json_t *names_in_cluster(struct call *call)
{
    json_t *names = json_object(), *list = json_array();
    struct store_error error = {0};
    if (names != NULL && store_each(call->config->store, schema_find("plugins"), collect_name,
                                    names, &error) == STORE_OK) {
        for (void *at = json_object_iter(names); at != NULL; at = json_object_iter_next(names, at))
            (void)json_array_append_new(list, json_string(json_object_iter_key(at)));
    }
    store_error_clear(&error);
    json_decref(names);
    return list;
}

static json_t *available(const struct plugin_set *plugins)
{
    json_t *map = json_object();
    for (size_t i = 0; map != NULL && i < plugins->count; i++) {
        const struct plugin_type *type = plugins->types[i];
        (void)json_object_set_new(
            map, type->name,
            json_pack("{s:s*, s:i}", "version", type->version, "priority", type->priority));
    }
    return map;
}

void info_root(struct call *call)
{
    const struct admin_config *config = call->config;
    const struct options *options = config->options;
    call_json(call, 200,
              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:i, s:i}, s:{s:o, s:o}, s:O, "
                        "s:{s:i, s:[i]}}",
                        "tagline", "Welcome to kong", "version", KONG_VERSION, "sluice_version",
                        SLUICE_VERSION, "edition", "community", "hostname", options->hostname,
                        "node_id", options->node_id, "lua_version", LUAJIT_VERSION, "timers",
                        "running", 0, "pending", 0, "plugins", "available_on_server",
                        available(config->plugins), "enabled_in_cluster", names_in_cluster(call),
                        "configuration", options->effective, "pids", "master", (int)getppid(),
                        "workers", (int)getpid()));
}

json_t *info_status_body(bool has_database)
{
    return json_pack("{s:{}, s:{s:[], s:{}}, s:o*}", "server", "memory", "workers_lua_vms",
                     "lua_shared_dicts", "database",
                     has_database ? json_pack("{s:b}", "reachable", 1) : NULL);
}

bool info_check_unit(struct call *call)
{
    const json_t *given = call_query(call, "unit");
    const char *unit = json_string_value(given);
    if (given == NULL || (unit != NULL && strlen(unit) == 1 && strchr("bBkKmMgG", unit[0]) != NULL))
        return true;
    call_message(call, 400, "invalid unit '%s' (expected 'k/K', 'm/M', or 'g/G')",
                 unit == NULL ? "" : unit);
    return false;
}

void info_status(struct call *call)
{
    const struct admin_config *config = call->config;
    if (!info_check_unit(call))
        return;
    bool has_database = strcmp(store_kind(config->store), "off") != 0;
    json_t *body = info_status_body(has_database);
    if (body != NULL && !has_database)
        (void)json_object_set_new(body, "configuration_hash",
                                  json_string(admin_server_config_hash(call->server)));
    if (body != NULL && config->fill_status != NULL)
        config->fill_status(config->context, body);
    call_json(call, 200, body);
}

void info_robots(struct call *call)
{
    call_text(call, 200, "text/plain", "User-agent: *\nDisallow: /");
}

/* --------------------------------------------------------------------------------------- schemas
 */

void info_enabled(struct call *call)
{
    json_t *names = json_array();
    for (size_t i = 0; names != NULL && i < call->config->plugins->count; i++)
        (void)json_array_append_new(names, json_string(call->config->plugins->types[i]->name));
    call_json(call, 200, json_pack("{s:o}", "enabled_plugins", names));
}

/* The loaded plugin that the first parameter names; NULL: answered. */
static const struct plugin_type *find_plugin(struct call *call)
{
    const struct plugin_type *type =
        plugin_set_find(call->config->plugins, slice_of(call->params[0]));
    if (type == NULL)
        call_message(call, 404, "No plugin named '%s'", call->params[0]);
    return type;
}

static const struct schema *find_schema(struct call *call)
{
    const struct schema *schema = schema_find(call->params[0]);
    if (schema == NULL)
        call_message(call, 404, "No entity named '%s'", call->params[0]);
    return schema;
}

void info_plugin_config(struct call *call)
{
    const struct plugin_type *type = find_plugin(call);
    if (type == NULL)
        return;
    const struct schema_field *config = schema_record_field(&type->schema->record, "config");
    call_json(call, 200,
              config == NULL || config->record == NULL ? json_pack("{s:[]}", "fields")
                                                       : schema_describe(config->record));
}

void info_schema(struct call *call)
{
    const struct schema *schema = find_schema(call);
    if (schema != NULL)
        call_json(call, 200, schema_describe(&schema->record));
}

void info_plugin_schema(struct call *call)
{
    const struct plugin_type *type = find_plugin(call);
    if (type != NULL)
        call_json(call, 200, schema_describe(&type->schema->record));
}

static void validate(struct call *call, const struct schema *schema)
{
    if (write_check(call, schema, call->args))
        call_message(call, 200, "schema validation successful");
}

void info_validate(struct call *call)
{
    const struct schema *schema = find_schema(call);
    if (schema != NULL)
        validate(call, schema);
}

void info_plugin_validate(struct call *call)
{
    validate(call, schema_find("plugins"));
}

void info_endpoints(struct call *call)
{
    call_json(call, 200, json_pack("{s:o}", "data", admin_server_endpoints(call->server)));
}
