/* SPDX-License-Identifier: Apache-2.0 */
/* schema_errors.c -- the tree of messages that Kong's error bodies carry.
 *
 * The tree mirrors the entity: records are objects, positions are arrays with null in the gaps, and
 * what concerns a record as a whole is a list under "@entity". */
#include "config/schema_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct schema_errors *schema_errors_create(void)
{
    struct schema_errors *errors = calloc(1, sizeof(*errors));
    if (errors == NULL)
        return NULL;
    errors->fields = json_object();
    if (errors->fields == NULL) {
        free(errors);
        return NULL;
    }
    return errors;
}

void schema_errors_destroy(struct schema_errors *errors)
{
    if (errors == NULL)
        return;
    json_decref(errors->fields);
    free(errors);
}

bool schema_errors_is_empty(const struct schema_errors *errors)
{
    return errors->count == 0;
}

void schema_errors_enter(struct schema_errors *errors, struct schema_place *place, const char *name,
                         size_t position)
{
    *place = (struct schema_place){errors->at, name, position};
    errors->at = place;
}

void schema_errors_leave(struct schema_errors *errors)
{
    errors->at = errors->at->up;
}

/* ---------------------------------------------------------------------------- walking the tree */

/* Child of a container for one step; NULL if there is none. */
static json_t *child_get(const json_t *node, const struct schema_place *step)
{
    if (step->name != NULL)
        return json_object_get(node, step->name);
    return step->position == 0 ? NULL : json_array_get(node, step->position - 1);
}

static bool child_set(json_t *node, const struct schema_place *step, json_t *child)
{
    if (step->name != NULL)
        return json_object_set_new(node, step->name, child) == 0;
    size_t index = step->position > SCHEMA_POSITION_MAX ? SCHEMA_POSITION_MAX : step->position;
    index = index == 0 ? 0 : index - 1;
    while (json_array_size(node) <= index)
        if (json_array_append_new(node, json_null()) != 0) {
            json_decref(child);
            return false;
        }
    return json_array_set_new(node, index, child) == 0;
}

/* The container for `step` below `node`'s `above` step, made when missing. A message that stands
 * there gives way: the deeper one says more. */
static json_t *container_for(json_t *parent, const struct schema_place *above, bool is_object)
{
    json_t *found = child_get(parent, above);
    if (found != NULL && (is_object ? json_is_object(found) : json_is_array(found)))
        return found;
    json_t *made = is_object ? json_object() : json_array();
    if (made == NULL || !child_set(parent, above, made))
        return NULL;
    return made;
}

/* The container that holds the value at `place`; NULL: out of memory, or objects and arrays mixed.
 */
static json_t *parent_of(json_t *root, const struct schema_place *place)
{
    if (place->up == NULL)
        return root;
    json_t *above = parent_of(root, place->up);
    return above == NULL ? NULL : container_for(above, place->up, place->name != NULL);
}

/* Counts one message in; false when there are enough. */
static bool may_add(struct schema_errors *errors)
{
    if (errors->count > SCHEMA_ERRORS_MAX)
        return false;
    errors->count++;
    return true;
}

/* A message that quotes part of a value may have cut a character in two; JSON text may not. */
static json_t *text_of(const char *message)
{
    json_t *text = json_string(message == NULL ? "out of memory" : message);
    char *ascii = text == NULL && message != NULL ? strdup(message) : NULL;
    if (ascii == NULL)
        return text;
    for (char *c = ascii; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    text = json_string(ascii);
    free(ascii);
    return text;
}

static void put_at(struct schema_errors *errors, const struct schema_place *place,
                   const char *message)
{
    if (!may_add(errors))
        return;
    json_t *text = text_of(message);
    json_t *parent = parent_of(errors->fields, place);
    json_t *there = parent == NULL ? NULL : child_get(parent, place);
    /* members of a record that were found wrong say more than a message about the whole */
    if (text == NULL || parent == NULL || json_is_object(there) || json_is_array(there)) {
        json_decref(text);
        return;
    }
    (void)child_set(parent, place, text);
}

static void put_entity_at(struct schema_errors *errors, const struct schema_place *record,
                          const char *message)
{
    if (!may_add(errors))
        return;
    struct schema_place list = {record, "@entity", 0};
    json_t *parent = parent_of(errors->fields, &list);
    json_t *messages = parent == NULL ? NULL : container_for(parent, &list, false);
    if (messages != NULL)
        (void)json_array_append_new(messages, text_of(message));
}

void schema_errors_put(struct schema_errors *errors, const char *message)
{
    if (errors->at == NULL)
        put_entity_at(errors, NULL, message);
    else
        put_at(errors, errors->at, message);
}

void schema_errors_putf(struct schema_errors *errors, const char *format, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    schema_errors_put(errors, message);
    free(message);
}

void schema_errors_put_entity(struct schema_errors *errors, const char *message)
{
    put_entity_at(errors, errors->at, message);
}

/* -------------------------------------------------------------------------------- dotted paths */

/* A step of a dotted path: `name` is its own copy, ended by a NUL. */
static void parse_step(struct schema_place *step, char *name)
{
    uint64_t position;
    step->name = name;
    step->position = 0;
    if (slice_to_u64(slice_of(name), &position) && position > 0 &&
        position <= SCHEMA_POSITION_MAX) {
        step->name = NULL;
        step->position = (size_t)position;
    }
}

static void add_from(struct schema_errors *errors, const struct schema_place *at, char *path,
                     const char *message)
{
    char *dot = strchr(path, '.');
    struct schema_place step = {.up = at};
    if (strcmp(path, "@entity") == 0) {
        put_entity_at(errors, at, message);
        return;
    }
    if (dot != NULL)
        *dot = '\0';
    parse_step(&step, path);
    if (dot == NULL)
        put_at(errors, &step, message);
    else
        add_from(errors, &step, dot + 1, message);
}

void schema_errors_add(struct schema_errors *errors, const char *path, const char *format, ...)
{
    char *message = NULL;
    char *steps = strdup(path);
    va_list args;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    if (steps != NULL)
        add_from(errors, errors->at, steps, message);
    free(steps);
    free(message);
}

static json_t *node_at(const struct schema_errors *errors, const struct schema_place *place)
{
    if (place == NULL)
        return errors->fields;
    json_t *above = node_at(errors, place->up);
    return above == NULL ? NULL : child_get(above, place);
}

bool schema_errors_has(const struct schema_errors *errors, const char *path)
{
    const json_t *node = node_at(errors, errors->at);
    struct slice rest = slice_of(path), part;
    while (node != NULL && slice_split(&rest, '.', &part)) {
        if (json_is_string(node))
            return true; /* the whole around it is wrong */
        node = json_object_getn(node, part.ptr, part.len);
    }
    return node != NULL;
}

/* -------------------------------------------------------------------------------------- output */

json_t *schema_errors_fields(const struct schema_errors *errors)
{
    return json_incref(errors->fields);
}

struct summary {
    struct schema_text text;
    size_t count;
};

static void add_problem(struct summary *summary, const char *field, const char *sub,
                        const json_t *message)
{
    if (summary->count++ > 0)
        schema_text_addz(&summary->text, "; ");
    if (field != NULL)
        schema_text_addf(&summary->text, sub == NULL ? "%s: " : "%s.", field);
    if (sub != NULL)
        schema_text_addf(&summary->text, "%s: ", sub);
    if (json_is_string(message))
        schema_text_add_value(&summary->text, message);
    else
        schema_text_add_lua(&summary->text, message, false);
}

static void summarise_elements(struct summary *summary, const char *field, const json_t *elements)
{
    for (size_t i = 0; i < json_array_size(elements); i++) {
        char position[24];
        snprintf(position, sizeof(position), "%zu", i + 1);
        if (!json_is_null(json_array_get(elements, i)))
            add_problem(summary, field, position, json_array_get(elements, i));
    }
}

static void summarise_field(struct summary *summary, const char *field, const json_t *problem)
{
    if (json_is_array(problem)) {
        summarise_elements(summary, field, problem);
    } else if (json_is_object(problem)) {
        const char **keys = schema_text_sorted_keys(problem);
        for (size_t i = 0; keys != NULL && keys[i] != NULL; i++)
            add_problem(summary, field, keys[i], json_object_get(problem, keys[i]));
        free(keys);
    } else {
        add_problem(summary, field, NULL, problem);
    }
}

char *schema_errors_message(const struct schema_errors *errors)
{
    struct summary summary = {0};
    const json_t *entity = json_object_get(errors->fields, "@entity");
    for (size_t i = 0; i < json_array_size(entity); i++)
        add_problem(&summary, NULL, NULL, json_array_get(entity, i));
    const char **keys = schema_text_sorted_keys(errors->fields);
    for (size_t i = 0; keys != NULL && keys[i] != NULL; i++)
        if (strcmp(keys[i], "@entity") != 0)
            summarise_field(&summary, keys[i], json_object_get(errors->fields, keys[i]));
    free(keys);

    char *problems = schema_text_take(&summary.text);
    struct schema_text whole = {0};
    if (problems == NULL)
        return NULL;
    if (summary.count == 1)
        schema_text_addf(&whole, "schema violation (%s)", problems);
    else
        schema_text_addf(&whole, "%zu schema violations (%s)", summary.count, problems);
    free(problems);
    return schema_text_take(&whole);
}
