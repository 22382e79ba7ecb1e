/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.c -- rows by id, by endpoint key, by foreign key. */
#include "admin/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/errors.h"
#include "plugin/plugin.h"
#include "admin/server.h"

/* The validator of the endpoint key's field. False: answered. */
static bool check_key(struct call *call, const struct schema *schema, const struct lookup_key *key)
{
    json_t *value = json_string(key->value);
    if (value == NULL) {
        call_unexpected(call);
        return false;
    }
    char *why = schema_validate_field(schema, key->field, value);
    if (why != NULL)
        errors_unique_key(call, key->field, why);
    free(why);
    json_decref(value);
    return why == NULL;
}

bool lookup_key_parse(struct call *call, const struct schema *schema, const char *segment,
                      struct lookup_key *key)
{
    size_t length = strlen(segment);
    bool is_uuid = schema_is_uuid(slice_make(segment, length));
    if (!is_uuid && schema->endpoint_key == NULL) {
        errors_primary_key(call);
        return false;
    }
    key->field = is_uuid ? "id" : schema->endpoint_key;
    if (length >= sizeof(key->value)) {
        errors_unique_key(call, key->field, "length must be at most 1023");
        return false;
    }
    for (size_t i = 0; i <= length; i++)
        key->value[i] = is_uuid ? slice_lower(segment[i]) : segment[i];
    return is_uuid || check_key(call, schema, key);
}

bool lookup_row(struct call *call, const struct schema *schema, const struct lookup_key *key,
                json_t **row)
{
    struct store_error error = {0};
    bool is_id = strcmp(key->field, "id") == 0;
    *row = NULL;
    enum store_result result =
        is_id ? store_select(call->config->store, schema, key->value, row, &error)
              : store_select_by(call->config->store, schema, key->field, key->value, row, &error);
    if (result == STORE_OK || result == STORE_NOT_FOUND) {
        store_error_clear(&error);
        return true;
    }
    errors_store(call, schema, ERRORS_UPDATE, result, &error, key->value, NULL);
    return false;
}

bool lookup_segment(struct call *call, const struct schema *schema, const char *segment,
                    json_t **row)
{
    struct lookup_key key;
    *row = NULL;
    return lookup_key_parse(call, schema, segment, &key) && lookup_row(call, schema, &key, row);
}

const char *lookup_foreign_id(const json_t *row, const char *field)
{
    return json_string_value(json_object_get(json_object_get(row, field), "id"));
}

/* The unique field of `parent` that `reference` gives a value for; NULL: none. */
static const struct schema_field *unique_member(const struct schema *parent,
                                                const json_t *reference)
{
    for (size_t i = 0; i < parent->record.field_count; i++) {
        const struct schema_field *field = &parent->record.fields[i];
        if (field->unique && json_is_string(json_object_get(reference, field->name)))
            return field;
    }
    return NULL;
}

static bool resolve(struct call *call, const struct schema_field *field, json_t *input)
{
    const struct schema *parent = schema_find(field->reference);
    json_t *reference = json_object_get(input, field->name);
    if (parent == NULL || !json_is_object(reference) || json_object_get(reference, "id") != NULL)
        return true;
    const struct schema_field *unique = unique_member(parent, reference);
    if (unique == NULL)
        return true; /* the schema says what is wrong with it */
    const json_t *value = json_object_get(reference, unique->name);
    json_t *row = NULL;
    struct store_error error = {0};
    enum store_result result = store_select_by(call->config->store, parent, unique->name,
                                               json_string_value(value), &row, &error);
    if (result != STORE_OK && result != STORE_NOT_FOUND) {
        errors_store(call, parent, ERRORS_UPDATE, result, &error, NULL, NULL);
        return false;
    }
    store_error_clear(&error);
    if (row == NULL) {
        errors_unresolved(call, field->name, unique->name, value, parent->name);
        return false;
    }
    int failed = json_object_set_new(input, field->name,
                                     json_pack("{s:O}", "id", json_object_get(row, "id")));
    json_decref(row);
    if (failed != 0)
        call_unexpected(call);
    return failed == 0;
}

bool lookup_resolve_foreign(struct call *call, const struct schema *schema, json_t *input)
{
    for (size_t i = 0; i < schema->record.field_count; i++) {
        const struct schema_field *field = &schema->record.fields[i];
        if (field->type == SCHEMA_FOREIGN && !resolve(call, field, input))
            return false;
    }
    return true;
}

const struct schema *lookup_plugin_schema(void *context, struct slice name)
{
    const struct call *call = context;
    const struct plugin_type *type = plugin_set_find(call->config->plugins, name);
    return type == NULL ? NULL : type->schema;
}

/* Gives a plugin's config the members that its schema has gained. False: no memory. A row of a
 * plugin that is not loaded here, or that its newer schema refuses, stays as it is stored. */
static bool complete_config(struct call *call, const struct schema *schema, json_t *row)
{
    json_t *copy = json_deep_copy(row);
    struct schema_errors *errors = schema_errors_create();
    bool ok = copy != NULL && errors != NULL;
    if (ok) {
        schema_process(schema, SCHEMA_UPDATE, copy, lookup_plugin_schema, call, errors);
        if (schema_errors_is_empty(errors))
            ok = json_object_set(row, "config", json_object_get(copy, "config")) == 0;
    }
    json_decref(copy);
    schema_errors_destroy(errors);
    return ok;
}

json_t *lookup_present(struct call *call, const struct schema *schema, json_t *row)
{
    if (row == NULL)
        return NULL;
    /* In the order of the schema, whatever the order of the body or the store. */
    json_t *shown = json_object();
    bool ok = shown != NULL;
    for (size_t i = 0; ok && i < schema->record.field_count; i++) {
        const char *name = schema->record.fields[i].name;
        json_t *value = json_object_get(row, name);
        ok = value == NULL || json_object_set(shown, name, value) == 0;
    }
    ok = ok && json_object_update_missing(shown, row) == 0; /* ttl is not a field */
    if (ok && strcmp(schema->name, "plugins") == 0)
        ok = complete_config(call, schema, shown);
    json_decref(row);
    if (!ok) {
        json_decref(shown);
        return NULL;
    }
    return shown;
}
