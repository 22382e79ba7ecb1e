/* SPDX-License-Identifier: Apache-2.0 */
/* form.c -- decodes urlencoded and multipart forms into nested JSON.
 *
 * A name is cut into steps (keys, positions, "append"), then walked from the root, making what is
 * missing. Positions that nobody set are removed at the end: "a[3]=x" alone gives ["x"]. When two
 * fields disagree about the kind of a value ("a=1&a.b=2"), the later one wins. */
#include "admin/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "http/uri.h"

enum step_kind { STEP_KEY, STEP_INDEX, STEP_APPEND };

struct step {
    enum step_kind kind;
    struct slice key;
    size_t index; /* 0-based */
};

struct path {
    struct step steps[FORM_MAX_DEPTH];
    size_t count;
};

static bool push(struct path *path, struct step step)
{
    if (path->count == FORM_MAX_DEPTH)
        return false;
    path->steps[path->count++] = step;
    return true;
}

/* "[...]" content to a step. False: not one that is understood here; the text stays in the key. */
static bool parse_bracket(struct slice inside, bool is_map_allowed, struct step *step)
{
    uint64_t position = 0;
    if (inside.len == 0) {
        *step = (struct step){.kind = STEP_APPEND};
        return true;
    }
    if (slice_to_u64(inside, &position) && position >= 1 && position <= SIZE_MAX) {
        *step = (struct step){.kind = STEP_INDEX, .index = (size_t)position - 1};
        return true;
    }
    *step = (struct step){.kind = STEP_KEY, .key = inside};
    return is_map_allowed;
}

/* One piece between dots: "name", "name[]", "name[1][2]". */
static bool parse_piece(struct slice piece, bool is_map_allowed, struct path *path)
{
    struct step brackets[FORM_MAX_DEPTH];
    size_t count = 0;
    while (piece.len > 2 && piece.ptr[piece.len - 1] == ']') {
        const char *open = memrchr(piece.ptr, '[', piece.len - 1);
        if (open == NULL || open == piece.ptr)
            break;
        struct slice inside =
            slice_make(open + 1, (size_t)(piece.ptr + piece.len - 1 - (open + 1)));
        struct step step;
        if (!parse_bracket(inside, is_map_allowed, &step))
            break;
        if (count == FORM_MAX_DEPTH)
            return false;
        brackets[count++] = step;
        piece.len = (size_t)(open - piece.ptr);
    }
    if (!push(path, (struct step){.kind = STEP_KEY, .key = piece}))
        return false;
    while (count > 0) {
        if (!push(path, brackets[--count]))
            return false;
    }
    return true;
}

static bool parse_path(struct slice name, bool is_map_allowed, struct path *path)
{
    path->count = 0;
    /* Kong does not split these; it keeps them as one name. */
    if (name.len == 0 || name.ptr[0] == '.' || name.ptr[name.len - 1] == '.')
        return push(path, (struct step){.kind = STEP_KEY, .key = name});
    struct slice piece;
    while (slice_split(&name, '.', &piece)) {
        if (piece.len > 0 && !parse_piece(piece, is_map_allowed, path))
            return false;
    }
    return path->count > 0;
}

/* What stands at `step` in `container`; NULL if nothing does. */
static json_t *child_get(json_t *container, const struct step *step)
{
    switch (step->kind) {
    case STEP_KEY: return json_object_getn(container, step->key.ptr, step->key.len);
    case STEP_INDEX: {
        json_t *item = json_array_get(container, step->index);
        return json_is_null(item) ? NULL : item;
    }
    case STEP_APPEND: return NULL;
    }
    return NULL;
}

/* Positions are padded up to, so that one field cannot ask for an arbitrary amount of memory. */
static bool is_in_reach(json_t *container, const struct step *step)
{
    return step->kind != STEP_INDEX || step->index <= json_array_size(container) + FORM_MAX_GAP;
}

/* Puts `value` there; takes over its reference. */
static bool child_set(json_t *container, const struct step *step, json_t *value)
{
    switch (step->kind) {
    case STEP_KEY: return json_object_setn_new(container, step->key.ptr, step->key.len, value) == 0;
    case STEP_INDEX:
        while (json_array_size(container) <= step->index) {
            if (json_array_append_new(container, json_null()) != 0) {
                json_decref(value);
                return false;
            }
        }
        return json_array_set_new(container, step->index, value) == 0;
    case STEP_APPEND: return json_array_append_new(container, value) == 0;
    }
    return false;
}

/* The last step: a repeated scalar turns into an array. */
static bool place(json_t *container, const struct step *step, json_t *value)
{
    json_t *there = child_get(container, step);
    if (there == NULL || json_is_object(there))
        return child_set(container, step, value);
    if (json_is_array(there))
        return json_array_append_new(there, value) == 0;
    json_t *both = json_array();
    if (both == NULL || json_array_append(both, there) != 0 ||
        json_array_append(both, value) != 0) {
        json_decref(both);
        json_decref(value);
        return false;
    }
    json_decref(value);
    return child_set(container, step, both);
}

enum form_result form_add(json_t *root, struct slice name, json_t *value, bool is_map_allowed)
{
    struct path path;
    if (value == NULL)
        return FORM_NO_MEMORY;
    if (memchr(name.ptr, '\0', name.len) != NULL || !parse_path(name, is_map_allowed, &path)) {
        json_decref(value);
        return FORM_BAD;
    }
    for (size_t i = 0; i < path.count; i++) {
        /* jansson refuses keys that are not UTF-8; say so before it looks like a lack of memory. */
        json_t *probe = json_stringn(path.steps[i].key.len == 0 ? "" : path.steps[i].key.ptr,
                                     path.steps[i].key.len);
        if (probe == NULL) {
            json_decref(value);
            return FORM_BAD;
        }
        json_decref(probe);
    }
    json_t *at = root;
    for (size_t i = 0; i + 1 < path.count; i++) {
        if (!is_in_reach(at, &path.steps[i])) {
            json_decref(value);
            return FORM_BAD;
        }
        bool wants_object = path.steps[i + 1].kind == STEP_KEY;
        json_t *next = child_get(at, &path.steps[i]);
        if (next == NULL || (wants_object ? !json_is_object(next) : !json_is_array(next))) {
            next = wants_object ? json_object() : json_array();
            if (next == NULL || !child_set(at, &path.steps[i], next)) {
                json_decref(value);
                return FORM_NO_MEMORY;
            }
        }
        at = next;
    }
    if (!is_in_reach(at, &path.steps[path.count - 1])) {
        json_decref(value);
        return FORM_BAD;
    }
    return place(at, &path.steps[path.count - 1], value) ? FORM_OK : FORM_NO_MEMORY;
}

/* Removes the positions that only padded an array. Nesting is bounded by FORM_MAX_DEPTH, or by
 * jansson for a JSON part. */
static void remove_gaps(json_t *value)
{
    if (json_is_array(value)) {
        for (size_t i = json_array_size(value); i > 0; i--) {
            json_t *item = json_array_get(value, i - 1);
            if (json_is_null(item))
                json_array_remove(value, i - 1);
            else
                remove_gaps(item);
        }
    } else if (json_is_object(value)) {
        for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at))
            remove_gaps(json_object_iter_value(at));
    }
}

/* A string value; FORM_BAD through *result for bytes that JSON text cannot hold. */
static json_t *text_value(struct slice text, enum form_result *result)
{
    if (memchr(text.ptr, '\0', text.len) != NULL) {
        *result = FORM_BAD;
        return NULL;
    }
    json_t *value = json_stringn(text.ptr, text.len);
    *result = value == NULL ? FORM_BAD : FORM_OK;
    return value;
}

static enum form_result add_pair(json_t *root, struct slice name, struct slice value,
                                 bool is_map_allowed)
{
    struct arena arena;
    arena_init(&arena, NULL);
    enum form_result result = FORM_NO_MEMORY;
    struct slice decoded_name = uri_decode(&arena, name, true);
    struct slice decoded = uri_decode(&arena, value, true);
    if (decoded_name.ptr != NULL && decoded.ptr != NULL) {
        json_t *text = text_value(decoded, &result);
        if (text != NULL)
            result = form_add(root, decoded_name, text, is_map_allowed);
    }
    arena_clear(&arena);
    return result;
}

enum form_result form_decode_urlencoded(struct slice text, bool is_map_allowed, json_t **out)
{
    json_t *root = json_object();
    enum form_result result = root == NULL ? FORM_NO_MEMORY : FORM_OK;
    struct slice field;
    size_t count = 0;
    while (result == FORM_OK && slice_split(&text, '&', &field)) {
        if (field.len == 0)
            continue;
        size_t equals = slice_find(field, '=');
        if (equals == 0)
            continue; /* a value without a name */
        if (++count > FORM_MAX_FIELDS)
            result = FORM_TOO_MANY;
        else
            result = add_pair(root, slice_make(field.ptr, equals), slice_from(field, equals + 1),
                              is_map_allowed);
    }
    if (result != FORM_OK) {
        json_decref(root);
        return result;
    }
    remove_gaps(root);
    *out = root;
    return FORM_OK;
}

/* ------------------------------------------------------------------------------------- multipart
 */

/* Value of parameter `name` in "type; name=value; name2=\"value\"". Absent if there is none. */
static struct slice parameter(struct slice field, struct slice name)
{
    struct slice rest = slice_from(field, slice_find(field, ';') + 1);
    while (rest.len > 0) {
        size_t equals = slice_find(rest, '=');
        if (equals == rest.len)
            break;
        struct slice key = slice_trim(slice_make(rest.ptr, equals));
        rest = slice_trim(slice_from(rest, equals + 1));
        char end = ';';
        if (rest.len > 0 && rest.ptr[0] == '"') {
            end = '"';
            rest = slice_from(rest, 1);
        }
        size_t stop = slice_find(rest, end);
        struct slice value = slice_make(rest.ptr, stop);
        if (slice_eq_nocase(key, name))
            return end == '"' ? value : slice_trim(value);
        rest = slice_from(rest, stop + (stop < rest.len));
        if (end == '"')
            rest = slice_from(rest, slice_find(rest, ';') + 1);
    }
    return slice_make(NULL, 0);
}

/* Position of `needle`, or haystack.len. */
static size_t find(struct slice haystack, struct slice needle)
{
    const char *at =
        haystack.len == 0 ? NULL : memmem(haystack.ptr, haystack.len, needle.ptr, needle.len);
    return at == NULL ? haystack.len : (size_t)(at - haystack.ptr);
}

/* One part without its boundaries: fields, empty line, content. */
static enum form_result add_part(json_t *root, struct slice part)
{
    struct slice name = slice_make(NULL, 0);
    bool is_json = false;
    while (!slice_starts_with(part, SLICE("\r\n"))) {
        size_t end = find(part, SLICE("\r\n"));
        if (end == part.len)
            return FORM_BAD;
        struct slice line = slice_make(part.ptr, end);
        size_t colon = slice_find(line, ':');
        struct slice field = slice_trim(slice_make(line.ptr, colon));
        struct slice value = slice_trim(slice_from(line, colon + 1));
        if (slice_eq_nocase(field, SLICE("content-disposition")))
            name = parameter(value, SLICE("name"));
        else if (slice_eq_nocase(field, SLICE("content-type")))
            is_json = value.len >= 16 &&
                      slice_eq_nocase(slice_make(value.ptr, 16), SLICE("application/json"));
        part = slice_from(part, end + 2);
    }
    part = slice_from(part, 2);
    if (name.ptr == NULL || name.len == 0)
        return FORM_OK; /* a part without a name says nothing */
    enum form_result result = FORM_OK;
    json_t *json =
        is_json ? json_loadb(part.ptr, part.len, JSON_DECODE_ANY, NULL) : text_value(part, &result);
    return json == NULL ? FORM_BAD : form_add(root, name, json, true);
}

static enum form_result add_parts(json_t *root, struct slice body, struct slice boundary)
{
    char buffer[4 + 70 + 1] = "\r\n--";
    memcpy(buffer + 4, boundary.ptr, boundary.len);
    struct slice delimiter = slice_make(buffer, 4 + boundary.len);
    /* The first delimiter may open the body, without a line end before it. */
    struct slice opening = slice_make(buffer + 2, 2 + boundary.len);
    if (slice_starts_with(body, opening))
        body = slice_from(body, opening.len);
    else if (find(body, delimiter) < body.len)
        body = slice_from(body, find(body, delimiter) + delimiter.len);
    else
        return FORM_BAD;
    for (size_t count = 0;; count++) {
        if (slice_starts_with(body, SLICE("--")))
            return FORM_OK;
        body = slice_from(body, find(body, SLICE("\r\n")) + 2);
        size_t end = find(body, delimiter);
        if (end == body.len)
            return FORM_BAD; /* the closing delimiter is missing */
        if (count == FORM_MAX_FIELDS)
            return FORM_TOO_MANY;
        enum form_result result = add_part(root, slice_make(body.ptr, end));
        if (result != FORM_OK)
            return result;
        body = slice_from(body, end + delimiter.len);
    }
}

enum form_result form_decode_multipart(struct slice body, struct slice content_type, json_t **out)
{
    struct slice boundary = parameter(content_type, SLICE("boundary"));
    if (boundary.ptr == NULL || boundary.len == 0 || boundary.len > 70)
        return FORM_BAD; /* RFC 2046 section 5.1.1: 1 to 70 characters */
    json_t *root = json_object();
    if (root == NULL)
        return FORM_NO_MEMORY;
    enum form_result result = add_parts(root, body, boundary);
    if (result != FORM_OK) {
        json_decref(root);
        return result;
    }
    remove_gaps(root);
    *out = root;
    return FORM_OK;
}
