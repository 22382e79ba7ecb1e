/* SPDX-License-Identifier: Apache-2.0 */
/* sql_column.c -- one JSON value of a row to one SQL value, and back. */
#include "config/sql_column.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"

enum { LIST_BYTES_MAX = 16 * 1024 * 1024 }; /* of one array literal: above every body limit */

/* ------------------------------------------------------------ fields to columns */

static enum sql_column_kind kind_of(const struct schema *schema, const struct schema_field *field)
{
    if (schema->has_ttl && strcmp(field->name, "ttl") == 0)
        return SQL_COLUMN_TTL;
    switch (field->type) {
    case SCHEMA_STRING: return field->uuid ? SQL_COLUMN_UUID : SQL_COLUMN_TEXT;
    case SCHEMA_FUNCTION: return SQL_COLUMN_TEXT;
    case SCHEMA_INTEGER: return field->timestamp ? SQL_COLUMN_TIME : SQL_COLUMN_INTEGER;
    case SCHEMA_NUMBER: return field->timestamp ? SQL_COLUMN_TIME_FRACTION : SQL_COLUMN_NUMBER;
    case SCHEMA_BOOLEAN: return SQL_COLUMN_BOOLEAN;
    case SCHEMA_FOREIGN: return SQL_COLUMN_FOREIGN;
    case SCHEMA_ARRAY:
    case SCHEMA_SET:
        return field->elements != NULL && field->elements->type == SCHEMA_STRING ? SQL_COLUMN_LIST
                                                                                 : SQL_COLUMN_JSON;
    case SCHEMA_MAP:
    case SCHEMA_RECORD:
    case SCHEMA_JSON:
    case SCHEMA_ANY: break;
    }
    return SQL_COLUMN_JSON;
}

static void add(struct sql_column *out, size_t *count, const char *name, enum sql_column_kind kind,
                const struct schema_field *field)
{
    assert(*count < SQL_COLUMNS_MAX); /* schemas of entities are part of the program */
    struct sql_column *column = &out[(*count)++];
    *column = (struct sql_column){.field = field, .field_name = name, .kind = kind};
    snprintf(column->name, sizeof(column->name), "%s%s", name,
             kind == SQL_COLUMN_FOREIGN ? "_id" : "");
}

size_t sql_column_list(const struct schema *schema, struct sql_column out[SQL_COLUMNS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < schema->record.field_count; i++) {
        const struct schema_field *field = &schema->record.fields[i];
        if (!field->is_write_only && field->redirect == NULL)
            add(out, &count, field->name, kind_of(schema, field), field);
    }
    if (schema->has_ttl && schema_record_field(&schema->record, "ttl") == NULL)
        add(out, &count, "ttl", SQL_COLUMN_TTL, NULL);
    if (schema->unique_together != NULL)
        add(out, &count, "cache_key", SQL_COLUMN_CACHE_KEY, NULL);
    return count;
}

bool sql_column_find(const struct schema *schema, const char *name, struct sql_column *out)
{
    struct sql_column columns[SQL_COLUMNS_MAX];
    size_t count = sql_column_list(schema, columns);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(columns[i].name, name) == 0) {
            *out = columns[i];
            return true;
        }
    }
    return false;
}

const char *sql_column_foreign_id(const json_t *row, const char *field)
{
    return json_string_value(json_object_get(json_object_get(row, field), "id"));
}

/* ------------------------------------------------------------ JSON to SQL */

static bool write_text(const json_t *value, bool is_lower, struct arena *arena, struct slice *out)
{
    if (!json_is_string(value))
        return false;
    *out = arena_copy(arena, slice_make(json_string_value(value), json_string_length(value)));
    char *text = (char *)(uintptr_t)out->ptr; /* the copy is ours */
    for (size_t i = 0; text != NULL && is_lower && i < out->len; i++)
        text[i] = slice_lower(text[i]);
    return text != NULL;
}

static bool write_number(const json_t *value, struct arena *arena, struct slice *out)
{
    if (json_is_integer(value))
        *out = arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        *out = arena_printf(arena, "%.17g", json_real_value(value));
    return out->ptr != NULL;
}

static bool write_json(const json_t *value, struct arena *arena, struct slice *out)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t bytes = json_dumpb(value, NULL, 0, flags);
    char *text = bytes == 0 ? NULL : arena_alloc(arena, bytes + 1);
    if (text == NULL || json_dumpb(value, text, bytes, flags) != bytes)
        return false;
    text[bytes] = '\0';
    *out = slice_make(text, bytes);
    return true;
}

static bool append_quoted(struct buffer *buffer, const json_t *item)
{
    struct slice rest = slice_make(json_string_value(item), json_string_length(item));
    bool is_ok = buffer_append(buffer, SLICE("\""), LIST_BYTES_MAX);
    for (size_t i = 0; i < rest.len && is_ok; i++) {
        char c = rest.ptr[i];
        if (c == '"' || c == '\\')
            is_ok = buffer_append(buffer, SLICE("\\"), LIST_BYTES_MAX);
        is_ok = is_ok && buffer_append(buffer, slice_make(&c, 1), LIST_BYTES_MAX);
    }
    return is_ok && buffer_append(buffer, SLICE("\""), LIST_BYTES_MAX);
}

/* The literal of a PostgreSQL array: {"a","b"}. */
static bool write_array(const json_t *list, struct arena *arena, struct slice *out)
{
    struct buffer buffer = {0};
    bool is_ok = buffer_append(&buffer, SLICE("{"), LIST_BYTES_MAX);
    for (size_t i = 0; i < json_array_size(list) && is_ok; i++) {
        const json_t *item = json_array_get(list, i);
        is_ok = json_is_string(item) &&
                (i == 0 || buffer_append(&buffer, SLICE(","), LIST_BYTES_MAX)) &&
                append_quoted(&buffer, item);
    }
    is_ok = is_ok && buffer_append(&buffer, SLICE("}"), LIST_BYTES_MAX);
    if (is_ok)
        *out = arena_copy(arena, buffer_slice(&buffer));
    buffer_clear(&buffer);
    return is_ok && out->ptr != NULL;
}

/* "plugins:key-auth::<service>:" as in Kong: values that are null leave their place empty. */
static bool write_cache_key(const struct schema *schema, const json_t *row, struct arena *arena,
                            struct slice *out)
{
    *out = arena_printf(arena, "%s", schema->name);
    for (const char *const *name = schema->unique_together; *name != NULL; name++) {
        const json_t *value = json_object_get(row, *name);
        struct slice part = SLICE("");
        if (json_is_object(value))
            value = json_object_get(value, "id");
        if (value == NULL || json_is_null(value))
            part = SLICE("");
        else if (json_is_string(value) ? !write_text(value, false, arena, &part)
                                       : !write_number(value, arena, &part))
            return false;
        if (out->ptr != NULL)
            *out = arena_printf(arena, "%s:%s", out->ptr, part.ptr);
    }
    return out->ptr != NULL;
}

bool sql_column_write(const struct sql_column *column, const struct schema *schema,
                      const json_t *row, enum sql_dialect dialect, struct arena *arena,
                      struct slice *out)
{
    *out = (struct slice){NULL, 0};
    if (column->kind == SQL_COLUMN_CACHE_KEY)
        return write_cache_key(schema, row, arena, out);
    const json_t *value = json_object_get(row, column->field_name);
    if (value == NULL || json_is_null(value))
        return true;
    switch (column->kind) {
    case SQL_COLUMN_TEXT: return write_text(value, false, arena, out);
    case SQL_COLUMN_UUID: return write_text(value, true, arena, out);
    case SQL_COLUMN_FOREIGN: return write_text(json_object_get(value, "id"), true, arena, out);
    case SQL_COLUMN_INTEGER:
    case SQL_COLUMN_TIME: return json_is_integer(value) && write_number(value, arena, out);
    case SQL_COLUMN_NUMBER:
    case SQL_COLUMN_TIME_FRACTION:
    case SQL_COLUMN_TTL: return write_number(value, arena, out);
    case SQL_COLUMN_BOOLEAN:
        *out = json_is_true(value) ? SLICE("1") : SLICE("0");
        return json_is_boolean(value);
    case SQL_COLUMN_LIST:
        if (!json_is_array(value))
            return false;
        return dialect == SQL_POSTGRES ? write_array(value, arena, out)
                                       : write_json(value, arena, out);
    case SQL_COLUMN_JSON: return write_json(value, arena, out);
    case SQL_COLUMN_CACHE_KEY: break;
    }
    return false;
}

/* ------------------------------------------------------------ SQL to JSON */

static json_t *read_integer(struct slice value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value.ptr, &end, 10);
    return errno != 0 || end == value.ptr || *end != '\0' ? NULL : json_integer(number);
}

/* Numbers without a fraction are JSON integers, so that 20 does not come back as 20.0. */
static json_t *read_number(struct slice value)
{
    char *end;
    double number = strtod(value.ptr, &end);
    if (end == value.ptr || *end != '\0' || !isfinite(number))
        return NULL;
    if (number == trunc(number) && fabs(number) < 9007199254740992.0) /* 2^53 */
        return json_integer((json_int_t)number);
    return json_real(number);
}

/* The query returns the seconds left. Rounded up, so that a credential just written with a ttl of
 * 10 shows 10; the millisecond absorbs rounding errors of the subtraction. */
static json_t *read_ttl(struct slice value)
{
    char *end;
    double left_s = strtod(value.ptr, &end);
    if (end == value.ptr || *end != '\0' || !(fabs(left_s) < 9e15))
        return NULL;
    double rounded = ceil(left_s - 0.001);
    return json_integer(rounded < 1 ? 1 : (json_int_t)rounded);
}

json_t *sql_column_read(const struct sql_column *column, struct slice value)
{
    if (value.ptr == NULL)
        return json_null();
    switch (column->kind) {
    case SQL_COLUMN_TEXT:
    case SQL_COLUMN_UUID: return json_stringn(value.ptr, value.len);
    case SQL_COLUMN_FOREIGN: {
        json_t *id = json_stringn(value.ptr, value.len);
        return id == NULL ? NULL : json_pack("{s:o}", "id", id);
    }
    case SQL_COLUMN_INTEGER:
    case SQL_COLUMN_TIME: return read_integer(value);
    case SQL_COLUMN_NUMBER:
    case SQL_COLUMN_TIME_FRACTION: return read_number(value);
    case SQL_COLUMN_TTL: return read_ttl(value);
    case SQL_COLUMN_BOOLEAN:
        return json_boolean(value.len == 1 && (value.ptr[0] == 't' || value.ptr[0] == '1'));
    case SQL_COLUMN_LIST:
    case SQL_COLUMN_JSON: return json_loadb(value.ptr, value.len, JSON_DECODE_ANY, NULL);
    case SQL_COLUMN_CACHE_KEY: break;
    }
    return NULL;
}
