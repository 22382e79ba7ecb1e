/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c -- error tables of the Admin API. The texts are an interface: tools match on them. */
#include "admin/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "admin/call.h"
#include "config/schema.h"
#include "admin/server.h"

/* Answers with one error table. Takes over `fields`; `fields_name` NULL: the table has none. */
static void answer(struct call *call, int status, int code, const char *name,
                   const char *fields_name, json_t *fields, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

static void answer(struct call *call, int status, int code, const char *name,
                   const char *fields_name, json_t *fields, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = NULL;
    json_t *body = NULL;
    if (vasprintf(&message, format, args) >= 0) {
        body = json_pack("{s:i, s:s, s:s}", "code", code, "name", name, "message", message);
        free(message);
    }
    va_end(args);
    if (body != NULL && fields_name != NULL) {
        if (json_object_set_new(body, fields_name, fields) != 0) {
            json_decref(body);
            body = NULL;
        }
    } else {
        json_decref(fields);
    }
    call_json(call, status, body);
}

void errors_primary_key(struct call *call)
{
    /* Kong prints the validator's findings here, not the key. */
    answer(call, 400, 1, "invalid primary key", "fields",
           json_pack("{s:s}", "id", "expected a valid UUID"),
           "invalid primary key: '{id=\"expected a valid UUID\"}'");
}

void errors_schema(struct call *call, const struct schema_errors *errors)
{
    char *message = schema_errors_message(errors);
    if (message == NULL) {
        call_unexpected(call);
        return;
    }
    answer(call, 400, 2, "schema violation", "fields", schema_errors_fields(errors), "%s", message);
    free(message);
}

void errors_not_found(struct call *call, const char *field, const char *value)
{
    json_t *key = json_pack("{s:s}", field, value);
    char *text = key == NULL ? NULL : schema_lua_text(key);
    if (text == NULL) {
        json_decref(key);
        call_unexpected(call);
        return;
    }
    answer(call, 404, 6, "not found", "fields", key, "could not find the entity with %s'%s'",
           strcmp(field, "id") == 0 ? "primary key " : "", text);
    free(text);
}

void errors_offset(struct call *call, const char *offset, const char *why)
{
    answer(call, 400, 7, "invalid offset", NULL, NULL, "'%s' is not a valid offset: %s", offset,
           why);
}

void errors_size(struct call *call, const char *message)
{
    answer(call, 400, 9, "invalid size", NULL, NULL, "%s", message);
}

void errors_unique_key(struct call *call, const char *field, const char *why)
{
    char name[128];
    snprintf(name, sizeof(name), "invalid unique %s", field);
    answer(call, 400, 10, name, NULL, NULL, "%s", why);
}

void errors_option(struct call *call, const char *option, const char *why)
{
    answer(call, 400, 11, "invalid options", "options", json_pack("{s:s}", option, why),
           "invalid option (%s: %s)", option, why);
}

void errors_unresolved(struct call *call, const char *field, const char *key, const json_t *value,
                       const char *parent)
{
    /* The packed value is only read. */
    json_t *wanted = json_pack("{s:O}", key, (json_t *)(uintptr_t)value);
    char *text = wanted == NULL ? NULL : schema_lua_text(wanted);
    char *why = NULL;
    if (text == NULL ||
        asprintf(&why, "the foreign key cannot be resolved with '%s' for an existing '%s' entity",
                 text, parent) < 0) {
        call_unexpected(call);
    } else {
        answer(call, 400, 13, "foreign keys unresolved", "fields",
               json_pack("{s:{s:s}}", field, key, why), "foreign key unresolved (%s.%s: %s)", field,
               key, why);
        free(why);
    }
    free(text);
    json_decref(wanted);
}

void errors_declarative(struct call *call, json_t *fields)
{
    char *text = fields == NULL ? NULL : schema_lua_text(fields);
    if (text == NULL) {
        json_decref(fields);
        call_unexpected(call);
        return;
    }
    answer(call, 400, 14, "invalid declarative configuration", "fields", fields,
           "declarative config is invalid: %s", text);
    free(text);
}

static void unsupported(struct call *call, const struct schema *schema, enum errors_write write,
                        const char *key)
{
    static const char *const verbs[] = {
        [ERRORS_CREATE] = "create",
        [ERRORS_UPDATE] = "update",
        [ERRORS_UPSERT] = "create or update",
        [ERRORS_REMOVE] = "remove",
    };
    if (key == NULL)
        answer(call, 405, 12, "operation unsupported", NULL, NULL,
               "cannot %s '%s' entities when not using a database", verbs[write], schema->name);
    else
        answer(call, 405, 12, "operation unsupported", NULL, NULL,
               "cannot %s '%s' entities by '%s' when not using a database", verbs[write],
               schema->name, key);
}

static void foreign(struct call *call, const struct store_error *error)
{
    /* One foreign key: {field: {id}}. */
    const json_t *key = json_object_iter_value(json_object_iter(error->fields));
    char *text = key == NULL ? NULL : schema_lua_text(key);
    if (text == NULL) {
        call_unexpected(call);
        return;
    }
    answer(call, 400, 4, "foreign key violation", "fields", json_incref(error->fields),
           "the foreign key '%s' does not reference an existing '%s' entity.", text, error->entity);
    free(text);
}

static void unique(struct call *call, const struct store_error *error)
{
    char *text = error->fields == NULL ? NULL : schema_lua_text(error->fields);
    if (text == NULL) {
        call_unexpected(call);
        return;
    }
    answer(call, 409, 5, "unique constraint violation", "fields", json_incref(error->fields),
           "UNIQUE violation detected on '%s'", text);
    free(text);
}

void errors_store(struct call *call, const struct schema *schema, enum errors_write write,
                  enum store_result result, struct store_error *error, const char *id,
                  const char *key)
{
    switch (result) {
    case STORE_UNIQUE: unique(call, error); break;
    case STORE_FOREIGN: foreign(call, error); break;
    case STORE_READ_ONLY: unsupported(call, schema, write, key); break;
    case STORE_NOT_FOUND: errors_not_found(call, "id", id == NULL ? "" : id); break;
    case STORE_PRIMARY:
        answer(call, 400, 3, "primary key violation", "fields", json_pack("{s:s}", "id", id),
               "primary key violation on key '{id=\"%s\"}'", id);
        break;
    case STORE_REFERENCED:
        answer(call, 400, 4, "foreign key violation", "fields",
               json_pack("{s:s}", "@referenced_by", error->entity),
               "an existing '%s' entity references this '%s' entity", error->entity, schema->name);
        break;
    case STORE_UNAVAILABLE:
        log_write(call->config->error_log, LOG_LEVEL_ERROR, "admin: %.*s: %s",
                  SLICE_ARG(call->path), error->text);
        call_message(call, 503, "The database is not available");
        break;
    case STORE_OK: /* not an error; asking is one */
    case STORE_FAILED:
        log_write(call->config->error_log, LOG_LEVEL_ERROR, "admin: %.*s: %s",
                  SLICE_ARG(call->path), error->text);
        call_unexpected(call);
        break;
    }
    store_error_clear(error);
}
