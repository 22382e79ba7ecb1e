/* SPDX-License-Identifier: Apache-2.0 */
/* schema_text.c -- the text of error messages, in which values look as Lua prints them. */
#include "config/schema_parts.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void schema_text_add(struct schema_text *text, const char *bytes, size_t len)
{
    if (text->is_broken)
        return;
    if (text->capacity - text->len < len + 1) {
        size_t capacity = (text->len + len + 1) * 2;
        char *grown = realloc(text->ptr, capacity);
        if (grown == NULL) {
            text->is_broken = true;
            return;
        }
        text->ptr = grown;
        text->capacity = capacity;
    }
    memcpy(text->ptr + text->len, bytes, len);
    text->len += len;
    text->ptr[text->len] = '\0';
}

void schema_text_addz(struct schema_text *text, const char *string)
{
    schema_text_add(text, string, strlen(string));
}

void schema_text_addf(struct schema_text *text, const char *format, ...)
{
    char *formatted = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&formatted, format, args);
    va_end(args);
    if (len < 0) {
        text->is_broken = true;
        return;
    }
    schema_text_add(text, formatted, (size_t)len);
    free(formatted);
}

static void add_real(struct schema_text *text, double value)
{
    schema_text_addf(text, "%.14g", value);
}

void schema_text_add_value(struct schema_text *text, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        schema_text_add(text, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        schema_text_addf(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL: add_real(text, json_real_value(value)); break;
    case JSON_TRUE: schema_text_addz(text, "true"); break;
    case JSON_FALSE: schema_text_addz(text, "false"); break;
    case JSON_NULL: schema_text_addz(text, "null"); break;
    case JSON_OBJECT:
    case JSON_ARRAY: schema_text_add_lua(text, value, true); break;
    }
}

/* A Lua string literal: what would end it or break the line is escaped. */
static void add_lua_string(struct schema_text *text, const char *bytes, size_t len)
{
    schema_text_addz(text, "\"");
    for (size_t i = 0; i < len; i++) {
        switch (bytes[i]) {
        case '"': schema_text_addz(text, "\\\""); break;
        case '\\': schema_text_addz(text, "\\\\"); break;
        case '\n': schema_text_addz(text, "\\n"); break;
        case '\r': schema_text_addz(text, "\\r"); break;
        case '\0': schema_text_addz(text, "\\0"); break;
        default: schema_text_add(text, bytes + i, 1); break;
        }
    }
    schema_text_addz(text, "\"");
}

static bool is_identifier(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

struct layout {
    bool is_compact;
    int depth;
};

static void add_break(struct schema_text *text, struct layout layout)
{
    if (layout.is_compact)
        return;
    schema_text_addz(text, "\n");
    for (int i = 0; i < layout.depth; i++)
        schema_text_addz(text, "  ");
}

static void add_lua(struct schema_text *text, const json_t *value, struct layout layout);

static void add_lua_members(struct schema_text *text, const json_t *object, struct layout layout)
{
    const char **keys = schema_text_sorted_keys(object);
    if (keys == NULL) {
        text->is_broken = true;
        return;
    }
    for (size_t i = 0; keys[i] != NULL; i++) {
        if (i > 0)
            schema_text_addz(text, ",");
        add_break(text, layout);
        if (is_identifier(keys[i])) {
            schema_text_addz(text, keys[i]);
        } else {
            schema_text_addz(text, "[");
            add_lua_string(text, keys[i], strlen(keys[i]));
            schema_text_addz(text, "]");
        }
        schema_text_addz(text, layout.is_compact ? "=" : " = ");
        add_lua(text, json_object_get(object, keys[i]), layout);
    }
    free(keys);
}

/* A gap in an array of errors is no value in Lua: what follows it carries its position. */
static void add_lua_elements(struct schema_text *text, const json_t *array, struct layout layout)
{
    bool has_gap = false, is_first = true;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *element = json_array_get(array, i);
        if (json_is_null(element)) {
            has_gap = true;
            continue;
        }
        if (!is_first)
            schema_text_addz(text, ",");
        is_first = false;
        add_break(text, layout);
        if (has_gap)
            schema_text_addf(text, layout.is_compact ? "[%zu]=" : "[%zu] = ", i + 1);
        add_lua(text, element, layout);
    }
}

static void add_lua(struct schema_text *text, const json_t *value, struct layout layout)
{
    size_t count = json_is_object(value) ? json_object_size(value) : json_array_size(value);
    if (json_is_string(value)) {
        add_lua_string(text, json_string_value(value), json_string_length(value));
    } else if (!json_is_object(value) && !json_is_array(value)) {
        schema_text_add_value(text, value);
    } else if (count == 0 || layout.depth >= 64) {
        schema_text_addz(text, "{}");
    } else {
        struct layout inner = {layout.is_compact, layout.depth + 1};
        schema_text_addz(text, "{");
        if (json_is_object(value))
            add_lua_members(text, value, inner);
        else
            add_lua_elements(text, value, inner);
        add_break(text, layout);
        schema_text_addz(text, "}");
    }
}

void schema_text_add_lua(struct schema_text *text, const json_t *value, bool is_compact)
{
    add_lua(text, value, (struct layout){is_compact, 0});
}

void schema_text_add_quoted(struct schema_text *text, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        schema_text_addf(text, "%s'%s'", i > 0 ? ", " : "", names[i]);
}

char *schema_text_take(struct schema_text *text)
{
    schema_text_add(text, "", 0); /* even an empty text is one */
    char *taken = text->ptr;
    if (text->is_broken) {
        free(taken);
        taken = NULL;
    }
    *text = (struct schema_text){0};
    return taken;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **schema_text_sorted_keys(const json_t *object)
{
    size_t count = 0;
    const char **keys = calloc(json_object_size(object) + 1, sizeof(*keys));
    if (keys == NULL)
        return NULL;
    /* jansson iterates over a const object through a non-const pointer only */
    json_t *readable = (json_t *)(uintptr_t)object;
    for (void *at = json_object_iter(readable); at != NULL;
         at = json_object_iter_next(readable, at))
        keys[count++] = json_object_iter_key(at);
    qsort(keys, count, sizeof(*keys), compare_names);
    return keys;
}

char *schema_lua_text(const json_t *value)
{
    struct schema_text text = {0};
    schema_text_add_lua(&text, value, true);
    return schema_text_take(&text);
}
