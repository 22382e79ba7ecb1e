/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c -- path table of the Admin API: literal segments outrank parameters, from left to right.
 */
#include "admin/routes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "config/schema.h"
#include "admin/crud.h"
#include "http/uri.h"

struct routes {
    struct routes_entry *entries;
    size_t count;
    struct arena arena; /* generated patterns */
};

enum { ITEM_METHODS = ROUTES_GET | ROUTES_PUT | ROUTES_PATCH | ROUTES_DELETE };

/* Appends an entry whose pattern is printed from `format`. */
static bool add(struct routes *routes, struct routes_entry entry, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool add(struct routes *routes, struct routes_entry entry, const char *format, ...)
{
    struct routes_entry *entries = realloc(routes->entries, (routes->count + 1) * sizeof(*entries));
    if (entries == NULL)
        return false;
    routes->entries = entries;
    if (entry.pattern == NULL) {
        char text[256];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        entry.pattern = arena_copy(&routes->arena, slice_of(text)).ptr;
    }
    entries[routes->count++] = entry;
    return entry.pattern != NULL;
}

/* The three paths that a foreign field of `schema` gives rise to. */
static bool add_foreign(struct routes *routes, const struct schema *schema,
                        const struct schema_field *field)
{
    const struct schema *parent = schema_find(field->reference);
    if (parent == NULL)
        return true; /* an entity that this build does not have */
    struct routes_entry entry = {.schema = schema, .parent = parent, .field = field->name};
    const char *segment = schema->nested != NULL ? schema->nested : schema->collection;
    entry.methods = ROUTES_GET | ROUTES_POST;
    entry.run = crud_child_collection;
    if (!add(routes, entry, "/%s/{%s}/%s", parent->collection, parent->name, segment))
        return false;
    entry.methods = ITEM_METHODS;
    entry.run = crud_child_item;
    if (!add(routes, entry, "/%s/{%s}/%s/{%s}", parent->collection, parent->name, segment,
             schema->name))
        return false;
    entry.run = crud_parent_item;
    return add(routes, entry, "/%s/{%s}/%s", schema->collection, schema->name, field->name);
}

static bool add_schema(struct routes *routes, const struct schema *schema)
{
    struct routes_entry entry = {.schema = schema};
    entry.methods = ROUTES_GET | ROUTES_POST;
    entry.run = crud_collection;
    if (!add(routes, entry, "/%s", schema->collection))
        return false;
    entry.methods = ITEM_METHODS;
    entry.run = crud_item;
    if (!add(routes, entry, "/%s/{%s}", schema->collection, schema->name))
        return false;
    for (size_t i = 0; i < schema->record.field_count; i++) {
        const struct schema_field *field = &schema->record.fields[i];
        if (field->type == SCHEMA_FOREIGN && !add_foreign(routes, schema, field))
            return false;
    }
    return true;
}

struct routes *routes_create(const struct routes_entry *fixed, const struct schema *const *schemas)
{
    struct routes *routes = calloc(1, sizeof(*routes));
    if (routes == NULL)
        return NULL;
    arena_init(&routes->arena, NULL);
    bool ok = true;
    for (; ok && fixed->pattern != NULL; fixed++)
        ok = add(routes, *fixed, "%s", fixed->pattern);
    for (; ok && schemas != NULL && *schemas != NULL; schemas++)
        ok = add_schema(routes, *schemas);
    if (!ok) {
        routes_destroy(routes);
        return NULL;
    }
    return routes;
}

void routes_destroy(struct routes *routes)
{
    if (routes == NULL)
        return;
    free(routes->entries);
    arena_clear(&routes->arena);
    free(routes);
}

/* --------------------------------------------------------------------------------------- matching
 */

/* True if `path` fits `pattern`. *literals has a bit for each segment that matched literally, the
 * first segment highest, so that a greater number is the better match. */
static bool match(const char *pattern, struct slice path, unsigned *literals,
                  struct slice params[CALL_MAX_PARAMS])
{
    struct slice want = slice_of(pattern), want_part, part;
    size_t count = 0;
    *literals = 0;
    for (;;) {
        bool has_want = slice_split(&want, '/', &want_part);
        bool has_part = slice_split(&path, '/', &part);
        if (!has_want || !has_part)
            return has_want == has_part;
        *literals <<= 1;
        if (want_part.len > 0 && want_part.ptr[0] == '{') {
            if (part.len == 0 || count == CALL_MAX_PARAMS)
                return false;
            params[count++] = part;
        } else if (slice_eq(want_part, part)) {
            *literals |= 1;
        } else {
            return false;
        }
    }
}

/* Decodes the parameters into the call. False: no memory, or a NUL in one, which nobody is called.
 */
static bool take_params(struct call *call, const struct slice params[CALL_MAX_PARAMS])
{
    struct arena arena;
    arena_init(&arena, NULL);
    bool ok = true;
    for (size_t i = 0; ok && i < CALL_MAX_PARAMS && params[i].ptr != NULL; i++) {
        struct slice decoded = uri_decode(&arena, params[i], false);
        ok = decoded.ptr != NULL && memchr(decoded.ptr, '\0', decoded.len) == NULL;
        call->params[i] = ok ? slice_dup(decoded) : NULL;
        /* Only UTF-8 text can name an entity. */
        json_t *probe = call->params[i] == NULL ? NULL : json_string(call->params[i]);
        ok = probe != NULL;
        json_decref(probe);
    }
    arena_clear(&arena);
    return ok;
}

static const struct routes_entry *find(const struct routes *routes, struct slice path,
                                       struct slice params[CALL_MAX_PARAMS])
{
    const struct routes_entry *best = NULL;
    unsigned best_literals = 0;
    for (size_t i = 0; i < routes->count; i++) {
        struct slice found[CALL_MAX_PARAMS] = {0};
        unsigned literals = 0;
        if (!match(routes->entries[i].pattern, path, &literals, found))
            continue;
        if (best != NULL && literals <= best_literals)
            continue;
        best = &routes->entries[i];
        best_literals = literals;
        memcpy(params, found, sizeof(found));
    }
    return best;
}

bool routes_find(const struct routes *routes, struct call *call)
{
    struct slice params[CALL_MAX_PARAMS] = {0};
    const struct routes_entry *entry = find(routes, call->path, params);
    /* No pattern ends in a slash, so trying with one added finds nothing that this does not. */
    if (entry == NULL && call->path.len > 1 && slice_ends_with(call->path, SLICE("/")))
        entry = find(routes, slice_make(call->path.ptr, call->path.len - 1), params);
    if (entry == NULL || !take_params(call, params)) {
        call_not_found(call);
        return false;
    }
    call->route = entry;
    if (call->method == CALL_OPTIONS) {
        call_empty(call, 204);
        return false;
    }
    if ((entry->methods & (1u << call->method)) == 0) {
        call_not_allowed(call);
        return false;
    }
    return true;
}

void routes_allow(const struct routes_entry *entry, char text[ROUTES_ALLOW_BYTES])
{
    static const struct {
        unsigned method;
        const char *name;
    } names[] = {
        {ROUTES_DELETE, "DELETE"}, {ROUTES_GET, "GET"},   {ROUTES_GET, "HEAD"}, {~0u, "OPTIONS"},
        {ROUTES_PATCH, "PATCH"},   {ROUTES_POST, "POST"}, {ROUTES_PUT, "PUT"},
    };
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((entry->methods & names[i].method) != 0)
            used += (size_t)snprintf(text + used, ROUTES_ALLOW_BYTES - used, "%s%s",
                                     used == 0 ? "" : ", ", names[i].name);
    }
}

/* "/" sorts before everything, so that a path comes before its children. */
static int compare_patterns(const void *a, const void *b)
{
    const unsigned char *x = *(const unsigned char *const *)a,
                        *y = *(const unsigned char *const *)b;
    for (; *x != '\0' && *x == *y; x++, y++)
        continue;
    unsigned left = *x == '/' ? 1 : *x, right = *y == '/' ? 1 : *y;
    return (left > right) - (left < right);
}

json_t *routes_list(const struct routes *routes)
{
    const char **patterns = calloc(routes->count + 1, sizeof(*patterns));
    json_t *list = json_array();
    bool ok = patterns != NULL && list != NULL;
    for (size_t i = 0; ok && i < routes->count; i++)
        patterns[i] = routes->entries[i].pattern;
    if (ok)
        qsort(patterns, routes->count, sizeof(*patterns), compare_patterns);
    for (size_t i = 0; ok && i < routes->count; i++)
        ok = json_array_append_new(list, json_string(patterns[i])) == 0;
    free(patterns);
    if (!ok) {
        json_decref(list);
        return NULL;
    }
    return list;
}
