/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c -- protocols of a plugin against those of its routes. */
#include "admin/scope.h"

#include <stdio.h>

#include "admin/call.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/errors.h"
#include "admin/lookup.h"
#include "admin/server.h"

static bool shares_protocol(const json_t *plugin, const json_t *route)
{
    const json_t *mine = json_object_get(plugin, "protocols");
    const json_t *theirs = json_object_get(route, "protocols");
    for (size_t i = 0; i < json_array_size(mine); i++) {
        for (size_t j = 0; j < json_array_size(theirs); j++) {
            if (json_equal(json_array_get(mine, i), json_array_get(theirs, j)))
                return true;
        }
    }
    return false;
}

static bool check_route(struct call *call, const json_t *row, const char *id,
                        struct schema_errors *errors)
{
    struct lookup_key key = {.field = "id"};
    json_t *route = NULL;
    snprintf(key.value, sizeof(key.value), "%s", id); /* a UUID: the schema has seen to that */
    if (!lookup_row(call, schema_find("routes"), &key, &route))
        return false;
    if (route != NULL && !shares_protocol(row, route))
        schema_errors_add(errors, "protocols", "must match the associated route's protocols");
    json_decref(route);
    return true;
}

static bool check_service(struct call *call, const json_t *row, const char *id,
                          struct schema_errors *errors)
{
    const struct schema *schema = schema_find("routes");
    struct store_page page = {.limit = 1000, .foreign_field = "service", .foreign_id = id};
    char after[64] = "";
    bool has_more = true, has_routes = false, has_match = false;
    while (has_more && !has_match) {
        json_t *rows = NULL;
        struct store_error error = {0};
        enum store_result result =
            store_list(call->config->store, schema, &page, &rows, &has_more, &error);
        if (result != STORE_OK) {
            errors_store(call, schema, ERRORS_UPDATE, result, &error, NULL, NULL);
            return false;
        }
        store_error_clear(&error);
        size_t count = json_array_size(rows);
        has_routes = has_routes || count > 0;
        for (size_t i = 0; i < count && !has_match; i++)
            has_match = shares_protocol(row, json_array_get(rows, i));
        const char *last = json_string_value(
            json_object_get(json_array_get(rows, count == 0 ? 0 : count - 1), "id"));
        has_more = has_more && last != NULL;
        snprintf(after, sizeof(after), "%s", has_more ? last : "");
        page.after_id = after;
        json_decref(rows);
    }
    if (has_routes && !has_match)
        schema_errors_add(errors, "protocols",
                          "must match the protocols of at least one route pointing to this "
                          "Plugin's service");
    return true;
}

bool scope_check(struct call *call, const json_t *row, struct schema_errors *errors)
{
    const char *route = lookup_foreign_id(row, "route");
    const char *service = lookup_foreign_id(row, "service");
    if (route != NULL)
        return check_route(call, row, route, errors);
    if (service != NULL)
        return check_service(call, row, service, errors);
    return true;
}
