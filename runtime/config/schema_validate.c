/* SPDX-License-Identifier: Apache-2.0 */
/* schema_validate.c -- walks an entity along its description and reports every value that is wrong.
 *
 * Structure first: the type, then elements and members, then the constraints of the value itself,
 * and last the checks over the record. Recursion follows the description, which is finite, not the
 * input. Nothing is changed here; schema_process.c has filled in defaults before. */
#include "config/schema_parts.h"

#include <math.h>
#include <stdlib.h>

bool schema_is_reference(const json_t *value)
{
    struct slice text = slice_make(json_string_value(value), json_string_length(value));
    return json_is_string(value) && slice_starts_with(text, SLICE("{vault://")) &&
           slice_ends_with(text, SLICE("}"));
}

static bool is_integer(const json_t *value)
{
    if (json_is_integer(value))
        return true;
    double number = json_is_real(value) ? json_real_value(value) : 0.5;
    return isfinite(number) && !(floor(number) < number) && fabs(number) < 9e18;
}

/* NULL: the JSON type suits the field; else the message. Empty arrays and objects are one in Lua.
 */
static const char *type_problem(const struct schema_field *field, const json_t *value)
{
    bool is_empty = (json_is_array(value) && json_array_size(value) == 0) ||
                    (json_is_object(value) && json_object_size(value) == 0);
    switch (field->type) {
    case SCHEMA_STRING: return json_is_string(value) ? NULL : "expected a string";
    case SCHEMA_NUMBER: return json_is_number(value) ? NULL : "expected a number";
    case SCHEMA_INTEGER: return is_integer(value) ? NULL : "expected an integer";
    case SCHEMA_BOOLEAN: return json_is_boolean(value) ? NULL : "expected a boolean";
    case SCHEMA_ARRAY: return json_is_array(value) || is_empty ? NULL : "expected an array";
    case SCHEMA_SET: return json_is_array(value) || is_empty ? NULL : "expected a set";
    case SCHEMA_MAP:
        if (json_is_array(value) && !is_empty) /* its keys are numbers */
            return "expected a string";
        return json_is_object(value) || is_empty ? NULL : "expected a map";
    case SCHEMA_RECORD: return json_is_object(value) || is_empty ? NULL : "expected a record";
    case SCHEMA_FUNCTION: return json_is_string(value) ? NULL : "expected a function";
    case SCHEMA_FOREIGN:
    case SCHEMA_JSON:
    case SCHEMA_ANY: break;
    }
    return NULL;
}

/* The keys of a parent: an object with its id. Further members are looked at by nobody. */
static void validate_foreign(struct schema_checker *checker, const json_t *value)
{
    const json_t *id = json_object_get(value, "id");
    struct schema_place place;
    schema_errors_enter(checker->errors, &place, "id", 0);
    if (id == NULL)
        schema_errors_put(checker->errors, "missing primary key");
    else if (json_is_null(id))
        schema_errors_put(checker->errors, "required field missing");
    else if (!json_is_string(id))
        schema_errors_put(checker->errors, "expected a string");
    else if (!schema_is_uuid(slice_make(json_string_value(id), json_string_length(id))))
        schema_errors_put(checker->errors, "expected a valid UUID");
    schema_errors_leave(checker->errors);
}

static void validate_elements(struct schema_checker *checker, const struct schema_field *field,
                              const json_t *value)
{
    for (size_t i = 0; field->elements != NULL && i < json_array_size(value); i++) {
        struct schema_place place;
        schema_errors_enter(checker->errors, &place, NULL, i + 1);
        schema_validate_value(checker, field->elements, true, json_array_get(value, i));
        schema_errors_leave(checker->errors);
        if (checker->errors->count > SCHEMA_ERRORS_MAX)
            return;
    }
}

/* As in Kong the first wrong key or value is reported for the map as a whole. */
static void validate_map(struct schema_checker *checker, const struct schema_field *field,
                         const json_t *value)
{
    size_t before = checker->errors->count;
    const char **keys = json_is_object(value) ? schema_text_sorted_keys(value) : NULL;
    for (size_t i = 0; keys != NULL && keys[i] != NULL && checker->errors->count == before; i++) {
        json_t *key = json_string(keys[i]);
        if (field->keys != NULL)
            schema_validate_value(checker, field->keys, true, key);
        if (field->values != NULL && checker->errors->count == before)
            schema_validate_value(checker, field->values, true, json_object_get(value, keys[i]));
        json_decref(key);
    }
    free(keys);
}

static void validate_inside(struct schema_checker *checker, const struct schema_field *field,
                            const json_t *value)
{
    switch (field->type) {
    case SCHEMA_ARRAY:
    case SCHEMA_SET: validate_elements(checker, field, value); break;
    case SCHEMA_MAP: validate_map(checker, field, value); break;
    case SCHEMA_RECORD:
        if (field->record != NULL && json_is_object(value))
            schema_validate_record(checker, field->record, value);
        break;
    case SCHEMA_FOREIGN: validate_foreign(checker, value); break;
    case SCHEMA_STRING:
    case SCHEMA_NUMBER:
    case SCHEMA_INTEGER:
    case SCHEMA_BOOLEAN:
    case SCHEMA_JSON:
    case SCHEMA_ANY:
    case SCHEMA_FUNCTION: break;
    }
}

static void validate_null(struct schema_checker *checker, const struct schema_field *field,
                          bool is_required)
{
    if (field->ne != NULL && json_is_null(field->ne)) {
        schema_errors_put(checker->errors,
                          field->error != NULL ? field->error : "value must not be null");
    } else if (field->eq != NULL && !json_is_null(field->eq)) {
        struct schema_text text = {0};
        schema_text_addz(&text, "value must be ");
        schema_text_add_value(&text, field->eq);
        char *message = schema_text_take(&text);
        schema_errors_put(checker->errors, message);
        free(message);
    } else if (is_required) {
        schema_errors_put(checker->errors, "required field missing");
    }
}

void schema_validate_value(struct schema_checker *checker, const struct schema_field *field,
                           bool is_required, const json_t *value)
{
    if (value == NULL || json_is_null(value)) {
        validate_null(checker, field, is_required);
        return;
    }
    if (field->eq != NULL && json_is_null(field->eq)) {
        schema_errors_put(checker->errors,
                          field->error != NULL ? field->error : "value must be null");
        return;
    }
    const char *problem = type_problem(field, value);
    if (problem != NULL) {
        schema_errors_put(checker->errors, problem);
        return;
    }
    size_t before = checker->errors->count;
    validate_inside(checker, field, value);
    if (checker->errors->count != before || (field->referenceable && schema_is_reference(value)))
        return;
    char *message = schema_constraints_check(field, value);
    if (message != NULL)
        schema_errors_put(checker->errors, message);
    free(message);
}

static void validate_unknown(struct schema_checker *checker, const struct schema_record *record,
                             const json_t *object)
{
    const char **names = schema_text_sorted_keys(object);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (schema_record_field(record, names[i]) != NULL)
            continue;
        struct schema_place place;
        schema_errors_enter(checker->errors, &place, names[i], 0);
        schema_errors_put(checker->errors, "unknown field");
        schema_errors_leave(checker->errors);
    }
    free(names);
}

void schema_validate_record(struct schema_checker *checker, const struct schema_record *record,
                            const json_t *object)
{
    struct schema_place place;
    validate_unknown(checker, record, object);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = &record->fields[i];
        if (field->redirect != NULL || field->is_write_only)
            continue; /* checked where they were expanded */
        schema_errors_enter(checker->errors, &place, field->name, 0);
        schema_validate_value(checker, field, field->required,
                              json_object_get(object, field->name));
        schema_errors_leave(checker->errors);
    }
    schema_checks_run(checker, record, object);
}
