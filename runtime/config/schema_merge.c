/* SPDX-License-Identifier: Apache-2.0 */
/* schema_merge.c -- lays a partial update over a stored row.
 *
 * Records are merged member by member, everything else is replaced as a whole. Deprecated aliases
 * of the stored row are left out, for they only mirror other members; an alias in the change takes
 * the place of the stored member that it stands for. */
#include "config/schema_parts.h"

#include <stdlib.h>

/* Deletes the member at a dotted path, if it is there. */
static void delete_path(json_t *object, const char *path)
{
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL && object != NULL) {
        object = json_object_getn(object, path, (size_t)(dot - path));
        path = dot + 1;
    }
    if (object != NULL)
        (void)json_object_del(object, path);
}

static json_t *merge(const struct schema_record *record, const json_t *stored,
                     const json_t *change);

static json_t *merge_value(const struct schema_field *field, const json_t *stored, json_t *change)
{
    if (field != NULL && field->type == SCHEMA_RECORD && json_is_object(change) &&
        json_is_object(stored))
        return merge(field->record, stored, change);
    return json_deep_copy(change);
}

/* `record` NULL: of unknown members; each is replaced as a whole. */
static json_t *merge(const struct schema_record *record, const json_t *stored, const json_t *change)
{
    json_t *merged = json_is_object(stored) ? json_deep_copy(stored) : json_object();
    for (size_t i = 0; record != NULL && i < record->field_count && merged != NULL; i++) {
        const struct schema_field *field = &record->fields[i];
        const json_t *alias = field->redirect == NULL ? NULL : json_object_get(change, field->name);
        if (field->redirect != NULL)
            (void)json_object_del(merged, field->name);
        if (alias != NULL)
            delete_path(merged, field->redirect);
    }
    const char **names = merged == NULL ? NULL : schema_text_sorted_keys(change);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        const struct schema_field *field =
            record == NULL ? NULL : schema_record_field(record, names[i]);
        json_t *value = merge_value(field, json_object_get(merged, names[i]),
                                    json_object_get(change, names[i]));
        if (value == NULL || json_object_set_new(merged, names[i], value) != 0) {
            json_decref(merged);
            merged = NULL;
            break;
        }
    }
    if (names == NULL) {
        json_decref(merged);
        merged = NULL;
    }
    free(names);
    return merged;
}

json_t *schema_merge(const struct schema_record *record, const json_t *stored, const json_t *change)
{
    return merge(record, stored, change);
}

json_t *schema_merge_entity(const struct schema *schema, const json_t *stored, const json_t *change,
                            schema_plugin_lookup lookup, void *lookup_context)
{
    const struct schema *plugin = NULL;
    if (schema_is_plugins(schema)) {
        /* another plugin's name takes another config: nothing of the old one is merged into it */
        const json_t *name = json_object_get(change, "name");
        bool is_renamed = name != NULL && !json_equal(name, json_object_get(stored, "name"));
        plugin = schema_plugin_of(is_renamed ? change : stored, lookup, lookup_context);
        if (is_renamed) {
            json_t *rest = json_copy((json_t *)(uintptr_t)stored);
            (void)json_object_del(rest, "config");
            json_t *merged = merge(&schema->record, rest, change);
            json_decref(rest);
            return merged;
        }
    }
    if (plugin == NULL)
        return merge(&schema->record, stored, change);
    struct schema_record *record = schema_specialise(&schema->record, &plugin->record);
    json_t *merged = record == NULL ? NULL : merge(record, stored, change);
    free(record);
    return merged;
}
