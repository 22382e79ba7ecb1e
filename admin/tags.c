/* SPDX-License-Identifier: Apache-2.0 */
/* tags.c -- which entities carry which tags.
 *
 * There is no table of tags: every taggable row is visited, in the order of kinds and ids. The
 * offset is the number of tags that came before, so this costs as much as there is configuration.
 */
#include "admin/tags.h"

#include <string.h>

#include "admin/call.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/errors.h"
#include "admin/page.h"
#include "admin/server.h"

struct scan {
    const struct schema *schema;
    const char *tag; /* NULL: every tag */
    size_t skip;     /* tags that earlier pages had */
    size_t limit;
    json_t *found;
    bool has_more, is_broken;
};

static bool visit(void *context, json_t *row)
{
    struct scan *scan = context;
    const json_t *tags = json_object_get(row, "tags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag == NULL || (scan->tag != NULL && strcmp(tag, scan->tag) != 0))
            continue;
        if (scan->skip > 0) {
            scan->skip--;
            continue;
        }
        if (json_array_size(scan->found) == scan->limit) {
            scan->has_more = true;
            return false;
        }
        if (json_array_append_new(scan->found,
                                  json_pack("{s:s, s:s, s:O}", "tag", tag, "entity_name",
                                            scan->schema->name, "entity_id",
                                            json_object_get(row, "id"))) != 0) {
            scan->is_broken = true;
            return false;
        }
    }
    return true;
}

/* False: answered. */
static bool collect(struct call *call, struct scan *scan)
{
    const struct schema *const *schemas = schema_core();
    for (; *schemas != NULL && !scan->has_more && !scan->is_broken; schemas++) {
        struct store_error error = {0};
        scan->schema = *schemas;
        if (!scan->schema->is_taggable)
            continue;
        enum store_result result =
            store_each(call->config->store, scan->schema, visit, scan, &error);
        if (result != STORE_OK) {
            errors_store(call, scan->schema, ERRORS_UPDATE, result, &error, NULL, NULL);
            return false;
        }
        store_error_clear(&error);
    }
    if (scan->is_broken)
        call_unexpected(call);
    return !scan->is_broken;
}

static bool read_offset(struct call *call, size_t *skip)
{
    json_t *offset = NULL;
    if (!page_offset(call, &offset))
        return false;
    *skip = 0;
    bool ok = offset == NULL || (json_is_integer(offset) && json_integer_value(offset) >= 0);
    if (ok)
        *skip = (size_t)json_integer_value(offset);
    else
        errors_offset(call, json_string_value(call_query(call, "offset")), "bad json encoding");
    json_decref(offset);
    return ok;
}

static void list(struct call *call, const char *tag, const char *path)
{
    struct scan scan = {.tag = tag};
    size_t skip = 0;
    if (!page_size(call, &scan.limit) || !read_offset(call, &skip))
        return;
    scan.skip = skip;
    scan.found = json_array();
    if (scan.found == NULL) {
        call_unexpected(call);
    } else if (collect(call, &scan)) {
        size_t seen = skip + json_array_size(scan.found);
        json_t *last = scan.has_more ? json_integer((json_int_t)seen) : NULL;
        page_answer(call, scan.found, last, path, "");
        return;
    }
    json_decref(scan.found);
}

/* Tags are written with their entities. */
static void refuse(struct call *call)
{
    static const char *const verbs[] = {
        [CALL_GET] = "",         [CALL_POST] = "insert",   [CALL_PUT] = "upsert",
        [CALL_PATCH] = "update", [CALL_DELETE] = "delete", [CALL_OPTIONS] = "",
        [CALL_OTHER] = "",
    };
    struct schema_errors *errors = schema_errors_create();
    if (errors == NULL) {
        call_unexpected(call);
        return;
    }
    schema_errors_add(errors, "tags", "does not support %s operations", verbs[call->method]);
    errors_schema(call, errors);
    schema_errors_destroy(errors);
}

void tags_all(struct call *call)
{
    if (call->method != CALL_GET) {
        refuse(call);
        return;
    }
    list(call, NULL, "/tags");
}

void tags_one(struct call *call)
{
    const char *tag = call->params[0];
    if (call->method != CALL_GET) {
        refuse(call);
        return;
    }
    if (!page_is_tag(tag)) {
        errors_unique_key(call, "tag",
                          "invalid tag: expected printable ascii (except `,` and `/`) or valid "
                          "utf-8 sequences");
        return;
    }
    char path[2048];
    struct slice raw = call->path;
    if (slice_ends_with(raw, SLICE("/")))
        raw.len--;
    if (raw.len >= sizeof(path)) {
        call_not_found(call); /* longer than any tag that could have been stored by this path */
        return;
    }
    memcpy(path, raw.ptr, raw.len);
    path[raw.len] = '\0';
    list(call, tag, path);
}
