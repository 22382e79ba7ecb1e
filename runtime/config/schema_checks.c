/* SPDX-License-Identifier: Apache-2.0 */
/* schema_checks.c -- checks over several fields of a record, Kong's `entity_checks`. */
#include "config/schema_parts.h"

#include <stdlib.h>

json_t *schema_path_get(const json_t *object, const char *path)
{
    struct slice rest = slice_of(path), part;
    json_t *value = NULL;
    while (slice_split(&rest, '.', &part)) {
        value = json_object_getn(object, part.ptr, part.len);
        object = value;
    }
    return value;
}

const struct schema_field *schema_path_field(const struct schema_record *record, const char *path)
{
    const struct schema_field *field = NULL;
    struct slice rest = slice_of(path), part;
    while (slice_split(&rest, '.', &part)) {
        field = NULL;
        for (size_t i = 0; record != NULL && i < record->field_count && field == NULL; i++)
            if (slice_eq(slice_of(record->fields[i].name), part))
                field = &record->fields[i];
        record = field == NULL ? NULL : field->record;
    }
    return field;
}

/* Neither null nor an empty text, list or object. */
static bool is_filled(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return false;
    if (json_is_string(value))
        return json_string_length(value) > 0;
    if (json_is_array(value))
        return json_array_size(value) > 0;
    return !json_is_object(value) || json_object_size(value) > 0;
}

struct tally {
    size_t filled, total;
};

static struct tally count_filled(const struct schema_check *check, const json_t *object)
{
    struct tally tally = {0, 0};
    for (; check->fields[tally.total] != NULL; tally.total++)
        if (is_filled(schema_path_get(object, check->fields[tally.total])))
            tally.filled++;
    return tally;
}

static bool has_twins(const struct schema_check *check, const json_t *object)
{
    for (size_t i = 0; check->fields[i] != NULL; i++) {
        const json_t *one = schema_path_get(object, check->fields[i]);
        for (size_t j = 0; is_filled(one) && j < i; j++)
            if (json_equal(one, schema_path_get(object, check->fields[j])) != 0)
                return true;
    }
    return false;
}

static bool has_field_error(const struct schema_checker *checker, const struct schema_check *check)
{
    for (size_t i = 0; check->fields != NULL && check->fields[i] != NULL; i++)
        if (schema_errors_has(checker->errors, check->fields[i]))
            return true;
    return false;
}

static void report(struct schema_checker *checker, const struct schema_check *check,
                   const char *before)
{
    struct schema_text text = {0};
    schema_text_addz(&text, before);
    schema_text_add_quoted(&text, check->fields);
    char *message = schema_text_take(&text);
    schema_errors_put_entity(checker->errors, message);
    free(message);
}

/* Lays the constraints that `over` sets over those of the field itself. */
static struct schema_field overlay(const struct schema_field *base, const struct schema_field *over)
{
    struct schema_field field = base != NULL ? *base : *over;
    if (base == NULL) {
        field.type = SCHEMA_ANY;
        return field;
    }
#define OVERLAY(member)                                                                            \
    if (over->member)                                                                              \
    field.member = over->member
    OVERLAY(required);
    OVERLAY(uuid);
    OVERLAY(timestamp);
    OVERLAY(is_regex);
    OVERLAY(one_of);
    OVERLAY(not_one_of);
    OVERLAY(eq);
    OVERLAY(ne);
    OVERLAY(contains);
    OVERLAY(starts_with);
    OVERLAY(match);
    OVERLAY(not_match);
    OVERLAY(match_all);
    OVERLAY(match_any);
    OVERLAY(match_none);
    OVERLAY(error);
    OVERLAY(elements);
    OVERLAY(keys);
    OVERLAY(values);
    OVERLAY(record);
    OVERLAY(exclusive_subsets);
#undef OVERLAY
    if (over->has_between) {
        field.has_between = true;
        field.between[0] = over->between[0];
        field.between[1] = over->between[1];
    }
    if (over->has_gt) {
        field.has_gt = true;
        field.gt = over->gt;
    }
    if (over->has_len_eq) {
        field.has_len_eq = true;
        field.len_eq = over->len_eq;
    }
    if (over->has_len_min) {
        field.has_len_min = true;
        field.len_min = over->len_min;
    }
    if (over->has_len_max) {
        field.has_len_max = true;
        field.len_max = over->len_max;
    }
    if (over->validate != NULL) {
        field.validate = over->validate;
        field.validate_context = over->validate_context;
    }
    return field;
}

/* Whether `value` passes; nothing is reported. */
static bool passes(const struct schema_field *field, const json_t *value)
{
    struct schema_errors errors = {.fields = json_object()};
    struct schema_checker dry = {.errors = &errors};
    struct schema_place place;
    schema_errors_enter(&errors, &place, "value", 0);
    schema_validate_value(&dry, field, field->required, value);
    schema_errors_leave(&errors);
    json_decref(errors.fields);
    return errors.count == 0;
}

/* Stands at a dotted path and checks there. */
static void validate_at(struct schema_checker *checker, const struct schema_field *field,
                        const json_t *value, const char *path)
{
    struct schema_errors found = {.fields = json_object()};
    struct schema_checker inner = {.errors = &found, .is_update = checker->is_update};
    struct schema_place place;
    schema_errors_enter(&found, &place, "value", 0);
    schema_validate_value(&inner, field, field->required, value);
    schema_errors_leave(&found);
    const json_t *problem = json_object_get(found.fields, "value");
    if (json_is_string(problem))
        schema_errors_add(checker->errors, path, "%s", json_string_value(problem));
    else
        for (size_t i = 0; i < json_array_size(problem); i++)
            if (json_is_string(json_array_get(problem, i))) {
                char *element = NULL;
                if (asprintf(&element, "%s.%zu", path, i + 1) < 0)
                    break;
                schema_errors_add(checker->errors, element, "%s",
                                  json_string_value(json_array_get(problem, i)));
                free(element);
            }
    json_decref(found.fields);
}

static void run_conditional(struct schema_checker *checker, const struct schema_record *record,
                            const struct schema_check *check, const json_t *object)
{
    const char *if_path = check->fields[0], *then_path = check->fields[1];
    struct schema_field if_field = overlay(schema_path_field(record, if_path), check->if_match);
    struct schema_field then_field =
        overlay(schema_path_field(record, then_path), check->then_match);
    const json_t *if_value = schema_path_get(object, if_path);
    const json_t *then_value = schema_path_get(object, then_path);
    if (schema_is_reference(if_value) || schema_is_reference(then_value))
        return;
    if (!passes(&if_field, if_value) || passes(&then_field, then_value))
        return;
    validate_at(checker, &then_field, then_value, then_path);
    if (check->then_error != NULL) {
        schema_errors_put_entity(checker->errors, check->then_error);
        return;
    }
    struct schema_text text = {0};
    schema_text_addf(&text, "failed conditional validation given value of field '%s'", if_path);
    char *message = schema_text_take(&text);
    schema_errors_put_entity(checker->errors, message);
    free(message);
}

static void run_check(struct schema_checker *checker, const struct schema_record *record,
                      const struct schema_check *check, const json_t *object)
{
    struct tally tally;
    switch (check->type) {
    case SCHEMA_AT_LEAST_ONE_OF:
        if (count_filled(check, object).filled == 0)
            report(checker, check,
                   checker->is_update
                       ? "when updating, at least one of these fields must be non-empty: "
                       : "at least one of these fields must be non-empty: ");
        break;
    case SCHEMA_ONLY_ONE_OF:
        if (count_filled(check, object).filled != 1)
            report(checker, check, "exactly one of these fields must be non-empty: ");
        break;
    case SCHEMA_MUTUALLY_REQUIRED:
        tally = count_filled(check, object);
        if (tally.filled > 0 && tally.filled < tally.total && !has_field_error(checker, check))
            report(checker, check, "all or none of these fields must be set: ");
        break;
    case SCHEMA_MUTUALLY_EXCLUSIVE:
        if (count_filled(check, object).filled > 1 && !has_field_error(checker, check))
            report(checker, check, "only one or none of these fields must be set: ");
        break;
    case SCHEMA_DISTINCT:
        if (has_twins(check, object))
            report(checker, check, "values of these fields must be distinct: ");
        break;
    case SCHEMA_CONDITIONAL: run_conditional(checker, record, check, object); break;
    case SCHEMA_CUSTOM:
        if (!has_field_error(checker, check))
            check->run(check->context, object, checker->errors);
        break;
    }
}

void schema_checks_run(struct schema_checker *checker, const struct schema_record *record,
                       const json_t *object)
{
    for (size_t i = 0; i < record->check_count; i++)
        run_check(checker, record, &record->checks[i], object);
}
