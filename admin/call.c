/* SPDX-License-Identifier: Apache-2.0 */
/* call.c -- answers of the Admin API: JSON, {"message": ...}, text or nothing. */
#include "admin/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_clear(struct call *call)
{
    for (size_t i = 0; i < CALL_MAX_PARAMS; i++)
        free(call->params[i]);
    json_decref(call->query);
    json_decref(call->args);
    json_decref(call->body);
    free(call->text);
}

void call_json(struct call *call, int status, json_t *body)
{
    if (call_is_answered(call)) {
        json_decref(body);
        return;
    }
    /* Without memory for the body there is still a status to answer with. */
    call->status = body == NULL ? 500 : status;
    call->body = body;
}

void call_message(struct call *call, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    json_t *body = NULL;
    if (vasprintf(&text, format, args) >= 0) {
        body = json_pack("{s:s}", "message", text);
        free(text);
    }
    va_end(args);
    call_json(call, status, body);
}

void call_text(struct call *call, int status, const char *type, const char *text)
{
    if (call_is_answered(call))
        return;
    call->text = strdup(text);
    call->text_type = type;
    call->status = call->text == NULL ? 500 : status;
}

void call_empty(struct call *call, int status)
{
    if (!call_is_answered(call))
        call->status = status;
}

void call_not_found(struct call *call)
{
    call_message(call, 404, "Not found");
}

void call_not_allowed(struct call *call)
{
    call_message(call, 405, "Method not allowed");
}

void call_unexpected(struct call *call)
{
    call_message(call, 500, "An unexpected error occurred");
}

const json_t *call_query(const struct call *call, const char *name)
{
    const json_t *value = json_object_get(call->query, name);
    if (json_is_array(value))
        value = json_array_get(value, 0);
    if (json_is_string(value) && json_string_length(value) == 0)
        return json_null();
    return value;
}
