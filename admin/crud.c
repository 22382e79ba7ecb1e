/* SPDX-License-Identifier: Apache-2.0 */
/* crud.c -- create, read, update and delete over HTTP, the same for every entity
 * (reference/admin-api.md section 3). */
#include "admin/crud.h"

#include <string.h>

#include "admin/call.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/errors.h"
#include "admin/lookup.h"
#include "admin/page.h"
#include "admin/routes.h"
#include "admin/server.h"
#include "admin/write.h"

/* Answers with `row`, unless its maker has answered already (NULL). */
static void answer_row(struct call *call, int status, json_t *row)
{
    if (row != NULL)
        call_json(call, status, row);
}

static void show(struct call *call, const struct schema *schema, const json_t *row)
{
    /* Only the reference count changes. */
    call_json(call, 200, lookup_present(call, schema, json_incref((json_t *)(uintptr_t)row)));
}

/* GET, PUT, PATCH or DELETE of the row that `segment` names. */
static void item(struct call *call, const struct schema *schema, const char *segment)
{
    struct lookup_key key;
    json_t *row = NULL;
    if (!lookup_key_parse(call, schema, segment, &key))
        return;
    if (call->method == CALL_PUT) {
        answer_row(call, 200, write_upsert(call, schema, &key, call->args));
        return;
    }
    if (!lookup_row(call, schema, &key, &row))
        return;
    switch (call->method) {
    case CALL_GET:
        if (row == NULL)
            call_not_found(call);
        else
            show(call, schema, row);
        break;
    case CALL_PATCH:
        if (row != NULL)
            answer_row(call, 200, write_update(call, schema, &key, row, call->args));
        else
            errors_not_found(call, key.field, key.value);
        break;
    case CALL_DELETE:
        if (row == NULL || write_delete(call, schema, &key, row))
            call_empty(call, 204);
        break;
    case CALL_POST:
    case CALL_PUT:
    case CALL_OPTIONS:
    case CALL_OTHER: call_not_allowed(call); break;
    }
    json_decref(row);
}

/* /consumers?custom_id=X: an exact search, as long as the consumer list has been there. */
static bool find_by_custom_id(struct call *call, const struct schema *schema)
{
    const json_t *wanted = call_query(call, "custom_id");
    if (wanted == NULL || strcmp(schema->name, "consumers") != 0)
        return false;
    if (!json_is_string(wanted)) {
        call_message(call, 400, "custom_id must be an unempty string");
        return true;
    }
    struct lookup_key key = {.field = "custom_id"};
    const char *text = json_string_value(wanted);
    json_t *row = NULL;
    if (strlen(text) < sizeof(key.value)) {
        memcpy(key.value, text, strlen(text) + 1);
        if (!lookup_row(call, schema, &key, &row))
            return true;
    }
    json_t *data = json_array();
    if (row != NULL && json_array_append_new(data, row) != 0) {
        json_decref(data);
        data = NULL;
    }
    call_json(call, 200, json_pack("{s:o, s:n}", "data", data, "next"));
    return true;
}

void crud_collection(struct call *call)
{
    const struct schema *schema = call->route->schema;
    if (call->method == CALL_POST)
        answer_row(call, 201, write_insert(call, schema, call->args));
    else if (!find_by_custom_id(call, schema))
        page_list(call, schema);
}

void crud_item(struct call *call)
{
    item(call, call->route->schema, call->params[0]);
}

/* The foreign field of the body's row: the parent. False: answered. */
static bool set_parent(struct call *call, const char *field, const char *id)
{
    if (json_object_set_new(call->args, field, json_pack("{s:s}", "id", id)) == 0)
        return true;
    call_unexpected(call);
    return false;
}

/* The parent that the first parameter names; NULL: answered, with 404 if there is none. */
static json_t *find_parent(struct call *call)
{
    json_t *parent = NULL;
    if (lookup_segment(call, call->route->parent, call->params[0], &parent) && parent == NULL)
        call_not_found(call);
    return parent;
}

void crud_child_collection(struct call *call)
{
    const struct routes_entry *route = call->route;
    json_t *parent = find_parent(call);
    if (parent == NULL)
        return;
    const char *id = json_string_value(json_object_get(parent, "id"));
    if (call->method == CALL_GET)
        page_list_children(call, route->schema, route->parent, route->field, id);
    else if (set_parent(call, route->field, id))
        answer_row(call, 201, write_insert(call, route->schema, call->args));
    json_decref(parent);
}

void crud_child_item(struct call *call)
{
    const struct routes_entry *route = call->route;
    json_t *parent = find_parent(call), *child = NULL;
    if (parent == NULL)
        return;
    const char *id = json_string_value(json_object_get(parent, "id"));
    if (lookup_segment(call, route->schema, call->params[1], &child)) {
        const char *owner = lookup_foreign_id(child, route->field);
        bool is_owned = child != NULL && owner != NULL && strcmp(owner, id) == 0;
        /* PUT may make the child, but does not take one away from another parent. */
        bool is_new = child == NULL && call->method == CALL_PUT;
        if (!is_owned && !is_new)
            call_not_found(call);
        else if (call->method != CALL_PUT || set_parent(call, route->field, id))
            item(call, route->schema, call->params[1]);
    }
    json_decref(child);
    json_decref(parent);
}

/* Puts a new parent where `child` had none. */
static void create_parent(struct call *call, const json_t *child)
{
    const struct routes_entry *route = call->route;
    json_t *parent = write_insert(call, route->parent, call->args);
    if (parent == NULL)
        return;
    struct lookup_key key = {.field = "id"};
    json_t *link = json_pack("{s:{s:O}}", route->field, "id", json_object_get(parent, "id"));
    if (link == NULL) {
        call_unexpected(call);
    } else {
        call->is_form = false; /* the link is typed */
        json_decref(write_update(call, route->schema, &key, child, link));
    }
    json_decref(link);
    call_json(call, 200, parent); /* unless linking has failed, which answered */
}

void crud_parent_item(struct call *call)
{
    const struct routes_entry *route = call->route;
    json_t *child = NULL;
    if (!lookup_segment(call, route->schema, call->params[0], &child))
        return;
    const char *id = lookup_foreign_id(child, route->field);
    if (id != NULL && call->method == CALL_DELETE)
        call_not_allowed(call);
    else if (id != NULL)
        item(call, route->parent, id);
    else if (child != NULL && call->method == CALL_PUT)
        create_parent(call, child);
    else
        call_not_found(call);
    json_decref(child);
}
