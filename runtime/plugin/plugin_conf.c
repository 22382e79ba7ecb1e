/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_conf.c -- reads members of a configuration by dotted name. */
#include "plugin/plugin_conf.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/schema.h"

enum { NAME_BYTES = 128 };

static const json_t *find(const struct pdk_conf *in, const char *name)
{
    const json_t *at = in->root;
    while (at != NULL && *name != '\0') {
        char part[NAME_BYTES];
        size_t len = strcspn(name, ".");
        if (len >= sizeof(part))
            return NULL;
        memcpy(part, name, len);
        part[len] = '\0';
        at = json_object_get(at, part);
        name += len + (name[len] == '.');
    }
    return at;
}

static void *conf_alloc(struct pdk_conf *in, size_t bytes)
{
    return arena_calloc(in->arena, bytes);
}

static bool is_set(struct pdk_conf *in, const char *name)
{
    const json_t *value = find(in, name);
    return value != NULL && !json_is_null(value);
}

static int64_t get_integer(struct pdk_conf *in, const char *name)
{
    const json_t *value = find(in, name);
    return json_is_real(value) ? (int64_t)json_real_value(value)
                               : (int64_t)json_integer_value(value);
}

static double get_number(struct pdk_conf *in, const char *name)
{
    return json_number_value(find(in, name));
}

static bool get_boolean(struct pdk_conf *in, const char *name)
{
    return json_is_true(find(in, name));
}

static struct pdk_str keep(struct pdk_conf *in, const json_t *value)
{
    struct slice copy = {NULL, 0};
    if (json_is_string(value))
        copy =
            arena_copy(in->arena, slice_make(json_string_value(value), json_string_length(value)));
    return (struct pdk_str){copy.ptr, copy.len};
}

static struct pdk_str get_string(struct pdk_conf *in, const char *name)
{
    return keep(in, find(in, name));
}

static size_t get_count(struct pdk_conf *in, const char *name)
{
    return json_array_size(find(in, name));
}

static struct pdk_str get_element(struct pdk_conf *in, const char *name, size_t index)
{
    return keep(in, json_array_get(find(in, name), index));
}

static struct pdk_str get_json(struct pdk_conf *in)
{
    char *text = json_dumps(in->root, JSON_COMPACT | JSON_ENCODE_ANY);
    struct slice copy = {NULL, 0};
    if (text != NULL)
        copy = arena_copy(in->arena, slice_of(text));
    free(text);
    return (struct pdk_str){copy.ptr, copy.len};
}

static bool set_error(struct pdk_conf *in, const char *field, const char *message)
{
    char path[NAME_BYTES + 8] = "@entity";
    if (field != NULL)
        snprintf(path, sizeof(path), "config.%s", field);
    if (in->errors != NULL)
        schema_errors_add(in->errors, path, "%s", message);
    return false;
}

const struct pdk_conf_api plugin_conf_table = {
    .size = sizeof(struct pdk_conf_api),
    .alloc = conf_alloc,
    .is_set = is_set,
    .get_integer = get_integer,
    .get_number = get_number,
    .get_boolean = get_boolean,
    .get_string = get_string,
    .get_count = get_count,
    .get_element = get_element,
    .get_json = get_json,
    .set_error = set_error,
};
