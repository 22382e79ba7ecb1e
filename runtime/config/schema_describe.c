/* SPDX-License-Identifier: Apache-2.0 */
/* schema_describe.c -- a description as JSON, in the shape of Kong's GET /schemas/{entity}. */
#include "config/schema_parts.h"

#include <stdlib.h>

static void describe_record(json_t *out, const struct schema_record *record);

/* Members are added to `out`; a failed allocation leaves one out, which the caller cannot mend. */
static void put(json_t *out, const char *name, json_t *value)
{
    (void)json_object_set_new(out, name, value);
}

static void put_flag(json_t *out, const char *name, bool is_set)
{
    if (is_set)
        put(out, name, json_true());
}

static void put_text(json_t *out, const char *name, const char *text)
{
    if (text != NULL)
        put(out, name, json_string(text));
}

static void put_json(json_t *out, const char *name, const json_t *value)
{
    if (value != NULL)
        put(out, name, json_deep_copy(value));
}

static const char *type_name(enum schema_type type)
{
    switch (type) {
    case SCHEMA_STRING: return "string";
    case SCHEMA_NUMBER: return "number";
    case SCHEMA_INTEGER: return "integer";
    case SCHEMA_BOOLEAN: return "boolean";
    case SCHEMA_ARRAY: return "array";
    case SCHEMA_SET: return "set";
    case SCHEMA_MAP: return "map";
    case SCHEMA_RECORD: return "record";
    case SCHEMA_FOREIGN: return "foreign";
    case SCHEMA_JSON: return "json";
    case SCHEMA_ANY: return "any";
    case SCHEMA_FUNCTION: return "function";
    }
    return "any";
}

static const char *on_delete_name(enum schema_on_delete action)
{
    switch (action) {
    case SCHEMA_RESTRICT: return NULL; /* the default, not shown */
    case SCHEMA_CASCADE: return "cascade";
    case SCHEMA_SET_NULL: return "null";
    }
    return NULL;
}

/* Whole numbers without a fraction, infinities as text (JSON has none). */
static json_t *number(double value)
{
    if (value > 1e300)
        return json_string("inf");
    if (value < -1e300)
        return json_string("-inf");
    if (value >= -9e15 && value <= 9e15 && (double)(json_int_t)value >= value &&
        (double)(json_int_t)value <= value)
        return json_integer((json_int_t)value);
    return json_real(value);
}

/* match_all, match_none: [{pattern, err}, ...] */
static void put_patterns(json_t *out, const char *name, const struct schema_pattern *list)
{
    if (list == NULL)
        return;
    json_t *patterns = json_array();
    for (; list->pattern != NULL; list++) {
        json_t *one = json_object();
        put_text(one, "pattern", list->pattern);
        put_text(one, "err", list->error);
        (void)json_array_append_new(patterns, one);
    }
    put(out, name, patterns);
}

/* match_any: {patterns: [...], err} */
static void put_match_any(json_t *out, const struct schema_pattern *list)
{
    if (list == NULL)
        return;
    json_t *any = json_object(), *patterns = json_array();
    for (; list->pattern != NULL; list++) {
        (void)json_array_append_new(patterns, json_string(list->pattern));
        put_text(any, "err", list->error);
    }
    put(any, "patterns", patterns);
    put(out, "match_any", any);
}

static void put_numbers(json_t *out, const struct schema_field *field)
{
    if (field->has_between) {
        json_t *limits = json_array();
        (void)json_array_append_new(limits, number(field->between[0]));
        (void)json_array_append_new(limits, number(field->between[1]));
        put(out, "between", limits);
    }
    if (field->has_gt)
        put(out, "gt", number(field->gt));
    if (field->has_len_eq)
        put(out, "len_eq", json_integer(field->len_eq));
    if (field->has_len_min)
        put(out, "len_min", json_integer(field->len_min));
    if (field->has_len_max)
        put(out, "len_max", json_integer(field->len_max));
}

/* Everything but structure. */
static void put_constraints(json_t *out, const struct schema_field *field)
{
    put_flag(out, "required", field->required);
    put_flag(out, "unique", field->unique);
    put_flag(out, "auto", field->is_auto);
    put_flag(out, "uuid", field->uuid);
    put_flag(out, "timestamp", field->timestamp);
    put_flag(out, "immutable", field->immutable);
    put_flag(out, "is_regex", field->is_regex);
    put_flag(out, "referenceable", field->referenceable);
    put_flag(out, "encrypted", field->encrypted);
    put_numbers(out, field);
    put_json(out, "default", field->default_value);
    put_json(out, "one_of", field->one_of);
    put_json(out, "not_one_of", field->not_one_of);
    put_json(out, "eq", field->eq);
    put_json(out, "ne", field->ne);
    put_json(out, "contains", field->contains);
    put_json(out, "mutually_exclusive_subsets", field->exclusive_subsets);
    put_text(out, "starts_with", field->starts_with);
    if (field->match != NULL)
        put_text(out, "match", field->match->pattern);
    if (field->not_match != NULL)
        put_text(out, "not_match", field->not_match->pattern);
    put_patterns(out, "match_all", field->match_all);
    put_patterns(out, "match_none", field->match_none);
    put_match_any(out, field->match_any);
    put_text(out, "err", field->error);
    put_text(out, "description", field->description);
}

static json_t *describe_field(const struct schema_field *field)
{
    json_t *out = json_object();
    put_text(out, "type", type_name(field->type));
    put_constraints(out, field);
    if (field->elements != NULL)
        put(out, "elements", describe_field(field->elements));
    if (field->keys != NULL)
        put(out, "keys", describe_field(field->keys));
    if (field->values != NULL)
        put(out, "values", describe_field(field->values));
    put_text(out, "reference", field->reference);
    if (field->type == SCHEMA_FOREIGN)
        put_text(out, "on_delete", on_delete_name(field->on_delete));
    if (field->type == SCHEMA_RECORD) {
        if (field->record != NULL)
            describe_record(out, field->record);
        else
            put_flag(out, "abstract", true);
    }
    return out;
}

/* A condition's constraints; its type is that of the field it speaks of. */
static json_t *describe_match(const struct schema_field *match)
{
    json_t *out = json_object();
    put_constraints(out, match);
    if (match->elements != NULL)
        put(out, "elements", describe_field(match->elements));
    return out;
}

static const char *list_check_name(enum schema_check_type type)
{
    switch (type) {
    case SCHEMA_AT_LEAST_ONE_OF: return "at_least_one_of";
    case SCHEMA_ONLY_ONE_OF: return "only_one_of";
    case SCHEMA_MUTUALLY_REQUIRED: return "mutually_required";
    case SCHEMA_MUTUALLY_EXCLUSIVE: return "mutually_exclusive";
    case SCHEMA_DISTINCT: return "distinct";
    case SCHEMA_CONDITIONAL: return "conditional";
    case SCHEMA_CUSTOM: return "custom_entity_check";
    }
    return "custom_entity_check";
}

static json_t *describe_check(const struct schema_check *check)
{
    json_t *out = json_object(), *names = json_array();
    for (size_t i = 0; check->fields != NULL && check->fields[i] != NULL; i++)
        (void)json_array_append_new(names, json_string(check->fields[i]));
    json_t *argument = names;
    if (check->type == SCHEMA_CONDITIONAL && check->fields != NULL) {
        argument = json_object();
        put_text(argument, "if_field", check->fields[0]);
        put(argument, "if_match", describe_match(check->if_match));
        put_text(argument, "then_field", check->fields[1]);
        put(argument, "then_match", describe_match(check->then_match));
        put_text(argument, "then_err", check->then_error);
        json_decref(names);
    } else if (check->type == SCHEMA_CUSTOM) {
        argument = json_object();
        put(argument, "field_sources", names);
    }
    put(out, list_check_name(check->type), argument);
    return out;
}

/* A deprecated alias or a shorthand such as service.url. */
static json_t *describe_shorthand(const struct schema_field *field)
{
    json_t *out = describe_field(field);
    if (field->redirect != NULL) {
        json_t *deprecation = json_object(), *path = json_array(), *replaced = json_array();
        struct slice rest = slice_of(field->redirect), part;
        while (slice_split(&rest, '.', &part))
            (void)json_array_append_new(path, json_stringn(part.ptr, part.len));
        json_t *target = json_object();
        put(target, "path", path);
        (void)json_array_append_new(replaced, target);
        put(deprecation, "replaced_with", replaced);
        put(out, "deprecation", deprecation);
        json_t *backwards = json_array();
        rest = slice_of(field->redirect);
        while (slice_split(&rest, '.', &part))
            (void)json_array_append_new(backwards, json_stringn(part.ptr, part.len));
        put(out, "translate_backwards", backwards);
    }
    return out;
}

static void append_named(json_t *list, const char *name, json_t *definition)
{
    json_t *one = json_object();
    put(one, name, definition);
    (void)json_array_append_new(list, one);
}

static void describe_record(json_t *out, const struct schema_record *record)
{
    json_t *fields = json_array(), *shorthands = json_array(), *checks = json_array();
    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = &record->fields[i];
        if (field->redirect != NULL || field->is_write_only)
            append_named(shorthands, field->name, describe_shorthand(field));
        else
            append_named(fields, field->name, describe_field(field));
    }
    for (size_t i = 0; i < record->check_count; i++)
        if (!record->checks[i].is_hidden)
            (void)json_array_append_new(checks, describe_check(&record->checks[i]));
    put(out, "fields", fields);
    if (json_array_size(shorthands) > 0)
        put(out, "shorthand_fields", shorthands);
    else
        json_decref(shorthands);
    if (json_array_size(checks) > 0)
        put(out, "entity_checks", checks);
    else
        json_decref(checks);
}

json_t *schema_describe(const struct schema_record *record)
{
    json_t *out = json_object();
    if (out == NULL)
        return NULL;
    describe_record(out, record);
    if (json_object_get(out, "entity_checks") == NULL)
        put(out, "entity_checks", json_array());
    return out;
}
