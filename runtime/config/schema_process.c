/* SPDX-License-Identifier: Apache-2.0 */
/* schema_process.c -- brings raw input into stored form.
 *
 *   prepare (shorthands) -> fill (aliases, auto fields, defaults, sets) -> validate -> finish
 *
 * fill() follows Kong's process_auto_fields(): what is missing gets its default, a required record
 * is expanded, the rest becomes null; a null that was sent stays null. finish() leaves exactly the
 * members of the description, deprecated aliases mirroring the values that they stand for. */
#include "config/schema_parts.h"

#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"

enum { GENERATED_KEY_LENGTH = 32, TTL_MAX_S = 100000000 };

struct filler {
    struct schema_checker checker;
    enum schema_mode mode;
};

static void fill_record(struct filler *filler, const struct schema_record *record, json_t *object);
static json_t *fill_value(struct filler *filler, const struct schema_field *field, json_t *value);

/* ------------------------------------------------------------------------------------- plugins */

bool schema_is_plugins(const struct schema *schema)
{
    return strcmp(schema->name, "plugins") == 0;
}

const struct schema *schema_plugin_of(const json_t *row, schema_plugin_lookup lookup, void *context)
{
    const json_t *name = json_object_get(row, "name");
    if (lookup == NULL || !json_is_string(name))
        return NULL;
    return lookup(context, slice_make(json_string_value(name), json_string_length(name)));
}

struct schema_record *schema_specialise(const struct schema_record *core,
                                        const struct schema_record *plugin)
{
    size_t checks = core->check_count + plugin->check_count;
    size_t fields_at = sizeof(struct schema_record);
    size_t checks_at = fields_at + core->field_count * sizeof(struct schema_field);
    char *memory = malloc(checks_at + checks * sizeof(struct schema_check));
    if (memory == NULL)
        return NULL;
    struct schema_record *made = (void *)memory;
    struct schema_field *fields = (void *)(memory + fields_at);
    struct schema_check *all = (void *)(memory + checks_at);
    for (size_t i = 0; i < core->field_count; i++) {
        const struct schema_field *own = schema_record_field(plugin, core->fields[i].name);
        fields[i] = own != NULL ? *own : core->fields[i];
        fields[i].on_delete = core->fields[i].on_delete;
        /* Kong's plugin loader does the same: without config its defaults are meant */
        if (own != NULL && strcmp(fields[i].name, "config") == 0)
            fields[i].required = true;
    }
    for (size_t i = 0; i < core->check_count; i++)
        all[i] = core->checks[i];
    for (size_t i = 0; i < plugin->check_count; i++)
        all[core->check_count + i] = plugin->checks[i];
    *made = (struct schema_record){fields, core->field_count, all, checks};
    return made;
}

/* ------------------------------------------------------------------------------------- aliases */

/* Sets the value at a dotted path, making the records on the way. Takes over `value`. */
static bool set_path(json_t *object, const char *path, json_t *value)
{
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL) {
        json_t *inner = json_object_getn(object, path, (size_t)(dot - path));
        if (inner == NULL || json_is_null(inner)) {
            inner = json_object();
            if (json_object_setn_new(object, path, (size_t)(dot - path), inner) != 0)
                inner = NULL;
        }
        if (!json_is_object(inner)) {
            json_decref(value);
            return false;
        }
        object = inner;
        path = dot + 1;
    }
    return json_object_set_new(object, path, value) == 0;
}

static void report_mismatch(struct filler *filler, const struct schema_field *field,
                            const json_t *old, const json_t *new)
{
    struct schema_text text = {0};
    schema_text_addf(
        &text,
        "both deprecated and new field are used but their values mismatch: %s = ", field->name);
    schema_text_add_value(&text, old);
    schema_text_addf(&text, " vs %s = ", field->redirect);
    schema_text_add_value(&text, new);
    char *message = schema_text_take(&text);
    schema_errors_put(filler->checker.errors, message);
    free(message);
}

/* Moves what was sent under a deprecated name to where it belongs now. */
static void move_alias(struct filler *filler, const struct schema_field *field, json_t *object)
{
    struct schema_place place;
    struct schema_errors *errors = filler->checker.errors;
    json_t *value = json_incref(json_object_get(object, field->name));
    if (value == NULL)
        return;
    (void)json_object_del(object, field->name);
    schema_errors_enter(errors, &place, field->name, 0);
    size_t before = errors->count;
    schema_validate_value(&filler->checker, field, false, value);
    if (errors->count == before) {
        const json_t *new = schema_path_get(object, field->redirect);
        bool is_new_set = new != NULL && !json_is_null(new);
        if (is_new_set && !json_is_null(value) && json_equal(new, value) == 0)
            report_mismatch(filler, field, value, new);
        else if (!is_new_set && !(json_is_null(value) && new == NULL))
            (void)set_path(object, field->redirect, json_incref(value));
    }
    schema_errors_leave(errors);
    json_decref(value);
}

/* --------------------------------------------------------------------------------- auto fields */

/* 32 characters out of 62, without the bias of a plain remainder. */
static json_t *random_key(void)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char key[GENERATED_KEY_LENGTH];
    size_t length = 0;
    while (length < sizeof(key)) {
        unsigned char bytes[64];
        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
            continue; /* interrupted by a signal */
        for (size_t i = 0; i < sizeof(bytes) && length < sizeof(key); i++)
            if (bytes[i] < 62 * 4)
                key[length++] = alphabet[bytes[i] % 62];
    }
    return json_stringn(key, sizeof(key));
}

/* The value of an auto field, borrowed or new; NULL: nothing to do. New reference. */
static json_t *auto_value(const struct filler *filler, const struct schema_field *field,
                          const json_t *value)
{
    bool is_absent = value == NULL || json_is_null(value);
    bool is_made = filler->mode != SCHEMA_UPDATE;
    if (field->uuid) {
        char id[37];
        if (!is_made || !is_absent)
            return NULL;
        schema_uuid_random(id);
        return json_string(id);
    }
    if (field->type == SCHEMA_STRING)
        return is_made && is_absent ? random_key() : NULL;
    bool is_update_time = strcmp(field->name, "updated_at") == 0;
    if (!is_update_time && !(is_made && is_absent))
        return NULL;
    int64_t now_ms = clock_wall_ms();
    return field->type == SCHEMA_INTEGER ? json_integer(now_ms / 1000)
                                         : json_real((double)now_ms / 1000);
}

/* ------------------------------------------------------------------------------------- filling */

/* Kong's handle_missing_field(): default, else null, else (required) an expanded record or nothing.
 */
static json_t *missing_value(struct filler *filler, const struct schema_field *field)
{
    if (field->default_value != NULL)
        return fill_value(filler, field, json_deep_copy(field->default_value));
    if (!field->required)
        return json_null();
    if (field->type == SCHEMA_RECORD)
        return fill_value(filler, field, json_object());
    return NULL;
}

/* A copy of the array without repeated elements. Takes over `set`. */
static json_t *without_twins(json_t *set)
{
    json_t *kept = json_array(), *seen = json_object();
    for (size_t i = 0; kept != NULL && seen != NULL && i < json_array_size(set); i++) {
        json_t *element = json_array_get(set, i);
        char *text = json_dumps(element, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
        if (text == NULL || json_object_get(seen, text) == NULL)
            (void)json_array_append(kept, element);
        if (text != NULL)
            (void)json_object_set_new_nocheck(seen, text, json_true());
        free(text);
    }
    json_decref(seen);
    if (kept == NULL)
        return set;
    json_decref(set);
    return kept;
}

static void fill_elements(struct filler *filler, const struct schema_field *field, json_t *array)
{
    for (size_t i = 0; field->elements != NULL && i < json_array_size(array); i++) {
        json_t *element = json_incref(json_array_get(array, i));
        element = fill_value(filler, field->elements, element);
        (void)json_array_set_new(array, i, element);
    }
}

static void fill_members(struct filler *filler, const struct schema_field *field, json_t *map)
{
    const char **keys = field->values == NULL ? NULL : schema_text_sorted_keys(map);
    for (size_t i = 0; keys != NULL && keys[i] != NULL; i++) {
        json_t *value = json_incref(json_object_get(map, keys[i]));
        (void)json_object_set_new(map, keys[i], fill_value(filler, field->values, value));
    }
    free(keys);
}

/* `{}` and `[]` are the same table in Lua: the empty value gets the type of its field. */
static json_t *as_container(json_t *value, bool is_object)
{
    bool is_wrong = is_object ? json_is_array(value) && json_array_size(value) == 0
                              : json_is_object(value) && json_object_size(value) == 0;
    if (!is_wrong)
        return value;
    json_decref(value);
    return is_object ? json_object() : json_array();
}

/* 80.0 becomes 80: Lua knows one number type and prints whole ones without a fraction. */
static json_t *as_whole(json_t *value)
{
    double number = json_is_real(value) ? json_real_value(value) : 0.5;
    if (!isfinite(number) || floor(number) < number || fabs(number) >= 9e15)
        return value;
    json_decref(value);
    return json_integer((json_int_t)number);
}

/* Fills in what is missing inside of a value. Takes over `value`, returns it or its replacement. */
static json_t *fill_value(struct filler *filler, const struct schema_field *field, json_t *value)
{
    switch (field->type) {
    case SCHEMA_RECORD:
        value = as_container(value, true);
        if (field->record != NULL && json_is_object(value))
            fill_record(filler, field->record, value);
        break;
    case SCHEMA_SET:
        value = as_container(value, false);
        if (json_is_array(value))
            value = without_twins(value);
        fill_elements(filler, field, value);
        break;
    case SCHEMA_ARRAY:
        value = as_container(value, false);
        fill_elements(filler, field, value);
        break;
    case SCHEMA_MAP:
        value = as_container(value, true);
        if (json_is_object(value))
            fill_members(filler, field, value);
        break;
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER: return as_whole(value);
    case SCHEMA_STRING:
    case SCHEMA_BOOLEAN:
    case SCHEMA_FOREIGN:
    case SCHEMA_JSON:
    case SCHEMA_ANY:
    case SCHEMA_FUNCTION: break;
    }
    return value;
}

static void fill_field(struct filler *filler, const struct schema_field *field, json_t *object)
{
    struct schema_place place;
    json_t *value = json_incref(json_object_get(object, field->name));
    json_t *automatic = field->is_auto ? auto_value(filler, field, value) : NULL;
    schema_errors_enter(filler->checker.errors, &place, field->name, 0);
    if (automatic != NULL) {
        json_decref(value);
        value = automatic;
    } else if (value == NULL) {
        value = missing_value(filler, field);
    } else {
        value = fill_value(filler, field, value);
    }
    schema_errors_leave(filler->checker.errors);
    if (value != NULL)
        (void)json_object_set_new(object, field->name, value);
}

static void fill_record(struct filler *filler, const struct schema_record *record, json_t *object)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].redirect != NULL)
            move_alias(filler, &record->fields[i], object);
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].redirect == NULL && !record->fields[i].is_write_only)
            fill_field(filler, &record->fields[i], object);
}

/* ----------------------------------------------------------------------------------- finishing */

static void finish_record(const struct schema_record *record, json_t *object);

static void finish_value(const struct schema_field *field, json_t *value)
{
    if (field->type == SCHEMA_RECORD && field->record != NULL && json_is_object(value)) {
        finish_record(field->record, value);
    } else if (json_is_array(value) && field->elements != NULL) {
        for (size_t i = 0; i < json_array_size(value); i++)
            finish_value(field->elements, json_array_get(value, i));
    } else if (field->type == SCHEMA_MAP && field->values != NULL) {
        for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at))
            finish_value(field->values, json_object_iter_value(at));
    } else if (field->type == SCHEMA_FOREIGN && json_is_object(value)) {
        json_t *id = json_incref(json_object_get(value, "id"));
        if (id == NULL)
            return;
        (void)json_object_clear(value);
        (void)json_object_set_new(value, "id", id);
    }
}

static void finish_record(const struct schema_record *record, json_t *object)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = &record->fields[i];
        if (field->is_write_only) {
            (void)json_object_del(object, field->name);
        } else if (field->redirect != NULL) {
            json_t *mirrored = schema_path_get(object, field->redirect);
            (void)json_object_set_new(object, field->name,
                                      mirrored == NULL ? json_null() : json_deep_copy(mirrored));
        } else {
            finish_value(field, json_object_get(object, field->name));
        }
    }
}

/* ----------------------------------------------------------------------------------- the whole */

static void process_record(struct filler *filler, const struct schema_record *record, json_t *input)
{
    fill_record(filler, record, input);
    schema_validate_record(&filler->checker, record, input);
    finish_record(record, input);
    /* a fine row is a whole row: what is absent now is so because memory ran out */
    for (size_t i = 0; i < record->field_count; i++)
        if (!record->fields[i].is_write_only && schema_errors_is_empty(filler->checker.errors) &&
            json_object_get(input, record->fields[i].name) == NULL)
            schema_errors_add(filler->checker.errors, "@entity", "out of memory");
}

static void process_plugin(struct filler *filler, const struct schema *schema, json_t *input,
                           schema_plugin_lookup lookup, void *context)
{
    const json_t *name = json_object_get(input, "name");
    const struct schema *plugin = schema_plugin_of(input, lookup, context);
    if (name == NULL || json_is_null(name)) {
        schema_errors_add(filler->checker.errors, "name", "required field missing");
    } else if (!json_is_string(name)) {
        schema_errors_add(filler->checker.errors, "name", "expected a string");
    } else if (plugin == NULL) {
        schema_errors_add(filler->checker.errors, "name",
                          "plugin '%s' not enabled; add it to the 'plugins' configuration property",
                          json_string_value(name));
    } else {
        struct schema_record *record = schema_specialise(&schema->record, &plugin->record);
        if (record == NULL)
            schema_errors_add(filler->checker.errors, "@entity", "out of memory");
        else
            process_record(filler, record, input);
        free(record);
    }
}

/* Takes the time to live out of the input, for it is no field; NULL: none, or it was wrong. */
static json_t *take_ttl(const struct schema *schema, json_t *input, struct schema_errors *errors)
{
    json_t *ttl = schema->has_ttl ? json_incref(json_object_get(input, "ttl")) : NULL;
    if (ttl == NULL)
        return NULL;
    (void)json_object_del(input, "ttl");
    ttl = as_whole(ttl);
    if (json_is_null(ttl) || (json_is_integer(ttl) && json_integer_value(ttl) >= 0 &&
                              json_integer_value(ttl) <= TTL_MAX_S))
        return ttl;
    schema_errors_add(errors, "ttl", "must be an integer between 0 and %d", TTL_MAX_S);
    json_decref(ttl);
    return NULL;
}

void schema_process(const struct schema *schema, enum schema_mode mode, json_t *input,
                    schema_plugin_lookup lookup, void *lookup_context, struct schema_errors *errors)
{
    struct filler filler = {{errors, mode == SCHEMA_UPDATE}, mode};
    if (!json_is_object(input)) {
        schema_errors_add(errors, "@entity", "expected a record");
        return;
    }
    if (schema->prepare != NULL)
        schema->prepare(input, errors);
    json_t *ttl = take_ttl(schema, input, errors);
    if (schema_is_plugins(schema))
        process_plugin(&filler, schema, input, lookup, lookup_context);
    else
        process_record(&filler, &schema->record, input);
    if (schema->has_ttl)
        (void)json_object_set_new(input, "ttl", ttl != NULL ? ttl : json_null());
}
