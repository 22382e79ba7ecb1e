/* SPDX-License-Identifier: Apache-2.0 */
/* schema_form.c -- gives the text of a decoded form the types of the description.
 *
 * What cannot be converted stays text, so that validation names it. */
#include "config/schema_parts.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static json_t *convert(const struct schema_field *field, json_t *value);
static void convert_record(const struct schema_record *record, json_t *object);

/* A decimal number as Lua's tonumber() takes it (blanks around it allowed); NULL: it is none. */
static json_t *number_of(const json_t *text)
{
    const char *start = json_string_value(text);
    size_t len = strlen(start);
    if (len != json_string_length(text) || len > 64 ||
        start[strspn(start, "0123456789+-.eE \t")] != '\0')
        return NULL;
    char *end;
    double number = strtod(start, &end);
    while (isspace((unsigned char)*end))
        end++;
    if (end == start || *end != '\0' || !isfinite(number))
        return NULL;
    if (floor(number) < number || fabs(number) >= 9e15)
        return json_real(number);
    return json_integer((json_int_t)number);
}

static json_t *scalar_of(const struct schema_field *field, const json_t *text)
{
    switch (field->type) {
    case SCHEMA_NUMBER:
    case SCHEMA_INTEGER: return number_of(text);
    case SCHEMA_BOOLEAN:
        if (strcmp(json_string_value(text), "true") == 0)
            return json_true();
        return strcmp(json_string_value(text), "false") == 0 ? json_false() : NULL;
    case SCHEMA_STRING:
    case SCHEMA_ARRAY:
    case SCHEMA_SET:
    case SCHEMA_MAP:
    case SCHEMA_RECORD:
    case SCHEMA_FOREIGN:
    case SCHEMA_JSON:
    case SCHEMA_ANY:
    case SCHEMA_FUNCTION: break;
    }
    return NULL;
}

static void convert_elements(const struct schema_field *field, json_t *array)
{
    for (size_t i = 0; field != NULL && i < json_array_size(array); i++) {
        json_t *element = json_incref(json_array_get(array, i));
        (void)json_array_set_new(array, i, convert(field, element));
    }
}

static void convert_members(const struct schema_field *field, json_t *map)
{
    const char **keys = field == NULL ? NULL : schema_text_sorted_keys(map);
    for (size_t i = 0; keys != NULL && keys[i] != NULL; i++) {
        json_t *value = json_incref(json_object_get(map, keys[i]));
        (void)json_object_set_new(map, keys[i], convert(field, value));
    }
    free(keys);
}

/* The parent's own description converts a sub-object ({"name": ...} instead of an id). */
static void convert_foreign(const struct schema_field *field, json_t *value)
{
    const struct schema *parent = field->reference == NULL ? NULL : schema_find(field->reference);
    if (parent != NULL && json_is_object(value))
        convert_record(&parent->record, value);
}

static json_t *wrap(json_t *value)
{
    json_t *array = json_array();
    if (array == NULL || json_array_append(array, value) != 0) {
        json_decref(array);
        return value;
    }
    json_decref(value);
    return array;
}

/* Takes over `value`, returns what takes its place. */
static json_t *convert(const struct schema_field *field, json_t *value)
{
    if (json_is_string(value) && json_string_length(value) == 0) {
        json_decref(value);
        return json_null();
    }
    if ((field->type == SCHEMA_ARRAY || field->type == SCHEMA_SET) && !json_is_null(value)) {
        if (!json_is_array(value) && !json_is_object(value))
            value = wrap(value);
        convert_elements(field->elements, value);
    } else if (field->type == SCHEMA_MAP) {
        convert_members(field->values, value);
    } else if (field->type == SCHEMA_RECORD && field->record != NULL) {
        convert_record(field->record, value);
    } else if (field->type == SCHEMA_FOREIGN) {
        convert_foreign(field, value);
    } else if (json_is_string(value)) {
        json_t *converted = scalar_of(field, value);
        if (converted != NULL) {
            json_decref(value);
            return converted;
        }
    }
    return value;
}

static void convert_record(const struct schema_record *record, json_t *object)
{
    for (size_t i = 0; json_is_object(object) && i < record->field_count; i++) {
        json_t *value = json_incref(json_object_get(object, record->fields[i].name));
        if (value != NULL)
            (void)json_object_set_new(object, record->fields[i].name,
                                      convert(&record->fields[i], value));
    }
}

void schema_convert_form(const struct schema *schema, json_t *input, schema_plugin_lookup lookup,
                         void *lookup_context)
{
    static const struct schema_field ttl = {.name = "ttl", .type = SCHEMA_INTEGER};
    const struct schema *plugin =
        schema_is_plugins(schema) ? schema_plugin_of(input, lookup, lookup_context) : NULL;
    struct schema_record *record =
        plugin == NULL ? NULL : schema_specialise(&schema->record, &plugin->record);
    convert_record(record != NULL ? record : &schema->record, input);
    free(record);
    json_t *seconds = schema->has_ttl ? json_incref(json_object_get(input, "ttl")) : NULL;
    if (seconds != NULL)
        (void)json_object_set_new(input, "ttl", convert(&ttl, seconds));
}
