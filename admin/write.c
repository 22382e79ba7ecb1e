/* SPDX-License-Identifier: Apache-2.0 */
/* write.c -- the one way in which the Admin API changes a row. */
#include "admin/write.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "admin/call.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/errors.h"
#include "admin/lookup.h"
#include "admin/scope.h"
#include "admin/server.h"

static bool is_plugin(const struct schema *schema)
{
    return strcmp(schema->name, "plugins") == 0;
}

static bool by_id(const struct lookup_key *key)
{
    return strcmp(key->field, "id") == 0;
}

static bool set(struct call *call, json_t *object, const char *name, const json_t *value)
{
    /* The reference is shared; values are not changed in place afterwards but by their owner. */
    if (json_object_set(object, name, (json_t *)(uintptr_t)value) == 0)
        return true;
    call_unexpected(call);
    return false;
}

static bool set_text(struct call *call, json_t *object, const char *name, const char *value)
{
    if (json_object_set_new(object, name, json_string(value)) == 0)
        return true;
    call_unexpected(call);
    return false;
}

/* Form strings to types, foreign keys to ids. */
static bool decode(struct call *call, const struct schema *schema, json_t *input)
{
    if (call->is_form)
        schema_convert_form(schema, input, lookup_plugin_schema, call);
    return lookup_resolve_foreign(call, schema, input);
}

/* All checks. `stored`: the row before an update, else NULL. False: answered. */
static bool process(struct call *call, const struct schema *schema, enum schema_mode mode,
                    json_t *row, const json_t *stored)
{
    struct schema_errors *errors = schema_errors_create();
    if (errors == NULL) {
        call_unexpected(call);
        return false;
    }
    schema_process(schema, mode, row, lookup_plugin_schema, call, errors);
    if (stored != NULL)
        schema_check_immutable(schema, stored, row, errors);
    bool ok = true;
    if (schema_errors_is_empty(errors) && is_plugin(schema))
        ok = scope_check(call, row, errors);
    if (ok && !schema_errors_is_empty(errors)) {
        errors_schema(call, errors);
        ok = false;
    }
    schema_errors_destroy(errors);
    return ok;
}

/* Tells the data plane. `row` NULL: deleted. */
static bool announce(struct call *call, const struct schema *schema, const char *id,
                     const json_t *row)
{
    const struct admin_config *config = call->config;
    if (config->on_change(config->context, schema, id, row))
        return true;
    log_write(config->error_log, LOG_LEVEL_ERROR,
              "admin: %s '%s' is stored, but the gateway could not take it over", schema->name, id);
    call_unexpected(call);
    return false;
}

/* What is stored now, as the answer shows it; consumes the result of the store call. */
static json_t *finish(struct call *call, const struct schema *schema, json_t *row,
                      enum errors_write write, enum store_result result, struct store_error *error,
                      const char *key_field)
{
    const char *id = json_string_value(json_object_get(row, "id"));
    if (result != STORE_OK) {
        errors_store(call, schema, write, result, error, id, key_field);
        return NULL;
    }
    store_error_clear(error);
    if (!announce(call, schema, id, row))
        return NULL;
    json_t *shown = lookup_present(call, schema, json_incref(row));
    if (shown == NULL)
        call_unexpected(call);
    return shown;
}

json_t *write_insert(struct call *call, const struct schema *schema, json_t *input)
{
    if (!decode(call, schema, input) || !process(call, schema, SCHEMA_INSERT, input, NULL))
        return NULL;
    struct store_error error = {0};
    enum store_result result = store_insert(call->config->store, schema, input, &error);
    return finish(call, schema, input, ERRORS_CREATE, result, &error, NULL);
}

json_t *write_update(struct call *call, const struct schema *schema, const struct lookup_key *key,
                     const json_t *stored, json_t *input)
{
    /* A plugin's name says which schema its config has; a PATCH need not repeat it. */
    if (is_plugin(schema) && json_object_get(input, "name") == NULL &&
        !set(call, input, "name", json_object_get(stored, "name")))
        return NULL;
    if (!decode(call, schema, input))
        return NULL;
    json_t *merged = schema_merge_entity(schema, stored, input, lookup_plugin_schema, call);
    json_t *shown = NULL;
    if (merged == NULL) {
        call_unexpected(call);
    } else if (set(call, merged, "id", json_object_get(stored, "id")) &&
               process(call, schema, SCHEMA_UPDATE, merged, stored)) {
        struct store_error error = {0};
        enum store_result result = store_update(call->config->store, schema, merged, &error);
        shown = finish(call, schema, merged, ERRORS_UPDATE, result, &error,
                       by_id(key) ? NULL : key->field);
    }
    json_decref(merged);
    return shown;
}

/* The URL's key goes into the row, and the id of the row that has it already. */
static bool take_key(struct call *call, const struct schema *schema, const struct lookup_key *key,
                     json_t *input)
{
    json_t *stored = NULL;
    if (!by_id(key) && !lookup_row(call, schema, key, &stored))
        return false;
    bool ok = set_text(call, input, key->field, key->value) &&
              (stored == NULL || set(call, input, "id", json_object_get(stored, "id")));
    json_decref(stored);
    return ok;
}

json_t *write_upsert(struct call *call, const struct schema *schema, const struct lookup_key *key,
                     json_t *input)
{
    /* The key is text already: it is set after the form was converted. */
    if (!decode(call, schema, input) || !take_key(call, schema, key, input) ||
        !process(call, schema, SCHEMA_UPSERT, input, NULL))
        return NULL;
    struct store_error error = {0};
    enum store_result result = store_upsert(call->config->store, schema, input, &error);
    return finish(call, schema, input, ERRORS_UPSERT, result, &error,
                  by_id(key) ? NULL : key->field);
}

bool write_delete(struct call *call, const struct schema *schema, const struct lookup_key *key,
                  const json_t *stored)
{
    const char *id = json_string_value(json_object_get(stored, "id"));
    struct store_error error = {0};
    enum store_result result = store_delete(call->config->store, schema, id, &error);
    if (result != STORE_OK && result != STORE_NOT_FOUND) {
        errors_store(call, schema, ERRORS_REMOVE, result, &error, id,
                     by_id(key) ? NULL : key->field);
        return false;
    }
    store_error_clear(&error);
    return announce(call, schema, id, NULL);
}

bool write_check(struct call *call, const struct schema *schema, json_t *input)
{
    /* No foreign keys: nothing is looked up in the database. */
    if (call->is_form)
        schema_convert_form(schema, input, lookup_plugin_schema, call);
    struct schema_errors *errors = schema_errors_create();
    if (errors == NULL) {
        call_unexpected(call);
        return false;
    }
    schema_process(schema, SCHEMA_INSERT, input, lookup_plugin_schema, call, errors);
    if (!schema_errors_is_empty(errors))
        errors_schema(call, errors);
    schema_errors_destroy(errors);
    return !call_is_answered(call);
}
