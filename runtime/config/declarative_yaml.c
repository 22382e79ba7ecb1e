/* SPDX-License-Identifier: Apache-2.0 */
/* declarative_yaml.c -- YAML 1.1 to JSON through libyaml's document loader.
 *
 * The loader shares the node of an anchor among its aliases, so a small text can stand for a huge
 * or even endless value: depth and number of converted nodes are bounded. Plain scalars become
 * null, booleans and numbers by YAML 1.1's rules; quoted ones stay text. */
#include "config/declarative_yaml.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

struct reader {
    yaml_document_t document;
    int depth;
    int nodes;
    enum declarative_result result;
    char *error;
};

static json_t *convert(struct reader *reader, int index);

/* Keeps the first problem. `node` may be NULL. */
static json_t *fail(struct reader *reader, const yaml_node_t *node, const char *what,
                    const char *detail)
{
    if (reader->result != DECLARATIVE_OK)
        return NULL;
    reader->result = DECLARATIVE_UNREADABLE;
    size_t line = node == NULL ? 0 : node->start_mark.line + 1;
    if (asprintf(&reader->error, "line %zu: %s%s", line, what, detail) < 0) {
        reader->error = NULL;
        reader->result = DECLARATIVE_NO_MEMORY;
    }
    return NULL;
}

static json_t *no_memory(struct reader *reader, json_t *discarded)
{
    json_decref(discarded);
    if (reader->result == DECLARATIVE_OK)
        reader->result = DECLARATIVE_NO_MEMORY;
    return NULL;
}

/* ------------------------------------------------------------------------------------- scalars */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* 12, -7, 0x1f, 017; false: no integer, or one that does not fit. */
static bool to_integer(const char *text, json_int_t *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    char *end;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        base = 16;
    else if (digits[0] == '0' && digits[1] != '\0')
        base = 8;
    if (!isdigit((unsigned char)digits[0]))
        return false;
    errno = 0;
    long long value = strtoll(text, &end, base);
    *out = value;
    return *end == '\0' && errno == 0;
}

/* 1.5, .5, 1e9; the words for infinity and "not a number" stay text, JSON has none. */
static bool to_real(const char *text, double *out)
{
    char *end;
    if (text[strspn(text, "+-.0123456789eE")] != '\0' || strpbrk(text, "0123456789") == NULL)
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static json_t *plain_scalar(const char *text, size_t len)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
                                      "YES",  "on",   "On",   "ON",  NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no",  "No",
                                     "NO",    "off",   "Off",   "OFF", NULL};
    json_int_t integer;
    double real;
    if (strlen(text) != len)
        return json_stringn(text, len);
    if (is_one_of(text, nulls))
        return json_null();
    if (is_one_of(text, yes))
        return json_true();
    if (is_one_of(text, no))
        return json_false();
    if (to_integer(text, &integer))
        return json_integer(integer);
    return to_real(text, &real) ? json_real(real) : json_stringn(text, len);
}

static json_t *convert_scalar(struct reader *reader, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    size_t len = node->data.scalar.length;
    json_t *value = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(text, len)
                                                                       : json_stringn(text, len);
    return value == NULL ? fail(reader, node, "text is not valid UTF-8", "") : value;
}

/* --------------------------------------------------------------------------------- collections */

static json_t *convert_sequence(struct reader *reader, const yaml_node_t *node)
{
    json_t *array = json_array();
    if (array == NULL)
        return no_memory(reader, NULL);
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_t *element = convert(reader, *item);
        if (element == NULL) {
            json_decref(array);
            return NULL;
        }
        if (json_array_append_new(array, element) != 0)
            return no_memory(reader, array);
    }
    return array;
}

/* "<<": members of other mappings, which those written out take precedence over. */
static bool add_merged(struct reader *reader, const yaml_node_t *node, json_t *merged,
                       const json_t *value)
{
    if (json_is_object(value))
        return json_object_update_missing(merged, (json_t *)(uintptr_t)value) == 0;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_object(json_array_get(value, i)) ||
            json_object_update_missing(merged, json_array_get(value, i)) != 0)
            value = NULL;
    if (!json_is_array(value))
        (void)fail(reader, node, "a merge key (<<) needs mappings", "");
    return json_is_array(value);
}

static bool add_pair(struct reader *reader, json_t *object, json_t *merged,
                     const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
    if (key == NULL || key->type != YAML_SCALAR_NODE) {
        (void)fail(reader, key, "a key must be a scalar", "");
        return false;
    }
    const char *name = (const char *)key->data.scalar.value;
    bool is_plain = key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    json_t *value = convert(reader, pair->value);
    bool is_added = value != NULL;
    if (value == NULL) {
        ; /* has been reported */
    } else if (is_plain && strcmp(name, "<<") == 0) {
        is_added = add_merged(reader, key, merged, value);
    } else if (strlen(name) != key->data.scalar.length || json_object_get(object, name) != NULL) {
        (void)fail(reader, key, "duplicate key ", name);
        is_added = false;
    } else if (json_object_set(object, name, value) != 0) {
        (void)fail(reader, key, "key is not valid UTF-8", "");
        is_added = false;
    }
    json_decref(value);
    return is_added;
}

static json_t *convert_mapping(struct reader *reader, const yaml_node_t *node)
{
    json_t *object = json_object(), *merged = json_object();
    if (object == NULL || merged == NULL) {
        json_decref(merged);
        return no_memory(reader, object);
    }
    bool is_fine = true;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         is_fine && pair < node->data.mapping.pairs.top; pair++)
        is_fine = add_pair(reader, object, merged, pair);
    if (is_fine && json_object_update_missing(object, merged) != 0)
        is_fine = false;
    json_decref(merged);
    return is_fine ? object : no_memory(reader, object);
}

static json_t *convert(struct reader *reader, int index)
{
    const yaml_node_t *node = yaml_document_get_node(&reader->document, index);
    json_t *value = NULL;
    if (node == NULL || ++reader->nodes > DECLARATIVE_NODES_MAX)
        return fail(reader, node, "the document is too large with its aliases expanded", "");
    if (reader->depth >= DECLARATIVE_DEPTH_MAX)
        return fail(reader, node, "nested too deeply", "");
    reader->depth++;
    switch (node->type) {
    case YAML_SCALAR_NODE: value = convert_scalar(reader, node); break;
    case YAML_SEQUENCE_NODE: value = convert_sequence(reader, node); break;
    case YAML_MAPPING_NODE: value = convert_mapping(reader, node); break;
    case YAML_NO_NODE: value = fail(reader, node, "an empty node", ""); break;
    }
    reader->depth--;
    return value;
}

/* ----------------------------------------------------------------------------------- the whole */

static enum declarative_result parser_failed(const yaml_parser_t *parser, char **error)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return DECLARATIVE_NO_MEMORY;
    if (asprintf(error, "line %zu, column %zu: %s", parser->problem_mark.line + 1,
                 parser->problem_mark.column + 1,
                 parser->problem != NULL ? parser->problem : "not valid YAML") < 0) {
        *error = NULL;
        return DECLARATIVE_NO_MEMORY;
    }
    return DECLARATIVE_UNREADABLE;
}

enum declarative_result declarative_yaml_decode(struct slice text, json_t **value, char **error)
{
    struct reader reader = {.result = DECLARATIVE_OK};
    yaml_parser_t parser;
    *value = NULL;
    *error = NULL;
    if (yaml_parser_initialize(&parser) == 0)
        return DECLARATIVE_NO_MEMORY;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    if (yaml_parser_load(&parser, &reader.document) == 0) {
        enum declarative_result result = parser_failed(&parser, error);
        yaml_parser_delete(&parser);
        return result;
    }
    if (yaml_document_get_root_node(&reader.document) == NULL)
        *value = json_null();
    else
        *value = convert(&reader, 1); /* the root is the first node */
    yaml_document_delete(&reader.document);
    yaml_parser_delete(&parser);
    *error = reader.error;
    return reader.result;
}
