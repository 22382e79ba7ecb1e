/* SPDX-License-Identifier: Apache-2.0 */
/* key_body.c -- hands each kind of body to the file that reads it. */
#include "key_body.h"

#include <strings.h>

#include "form.h"
#include "json_member.h"
#include "multipart.h"

static struct pdk_str media_type(struct pdk_str content_type)
{
    const char *semicolon =
        content_type.len == 0 ? NULL : memchr(content_type.ptr, ';', content_type.len);
    if (semicolon != NULL)
        content_type.len = (size_t)(semicolon - content_type.ptr);
    while (content_type.len > 0 && (content_type.ptr[content_type.len - 1] == ' ' ||
                                    content_type.ptr[content_type.len - 1] == '\t'))
        content_type.len--;
    return content_type;
}

static bool is_type(struct pdk_str type, struct pdk_str expected)
{
    return type.len == expected.len && strncasecmp(type.ptr, expected.ptr, type.len) == 0;
}

struct key_body key_body_of(struct pdk_str content_type)
{
    struct pdk_str type = media_type(content_type);
    struct key_body body = {KEY_BODY_OPAQUE, {NULL, 0}, {NULL, 0}};
    if (is_type(type, PDK_STR("application/x-www-form-urlencoded"))) {
        body.kind = KEY_BODY_FORM;
    } else if (is_type(type, PDK_STR("application/json"))) {
        body.kind = KEY_BODY_JSON;
    } else if (is_type(type, PDK_STR("multipart/form-data"))) {
        body.boundary = multipart_boundary(content_type);
        body.kind = body.boundary.ptr == NULL ? KEY_BODY_OPAQUE : KEY_BODY_MULTIPART;
    }
    return body;
}

struct found key_body_find(const struct key_body *body, struct pdk_str name)
{
    switch (body->kind) {
    case KEY_BODY_FORM: return form_find(body->text, name);
    case KEY_BODY_JSON: return json_member_find(body->text, name);
    case KEY_BODY_MULTIPART: return multipart_find(body->text, body->boundary, name);
    case KEY_BODY_OPAQUE: break;
    }
    return (struct found){FOUND_NOTHING, {NULL, 0}};
}

struct pdk_str key_body_decode(const struct key_body *body, struct pdk_str found, char *out)
{
    switch (body->kind) {
    case KEY_BODY_FORM: return form_decode(found, out);
    case KEY_BODY_JSON: return json_member_decode(found, out);
    case KEY_BODY_MULTIPART:
    case KEY_BODY_OPAQUE: break;
    }
    return found;
}

struct pdk_str key_body_remove(const struct key_body *body, struct pdk_str name, char *out)
{
    switch (body->kind) {
    case KEY_BODY_FORM: return form_remove(body->text, name, out);
    case KEY_BODY_JSON: return json_member_remove(body->text, name, out);
    case KEY_BODY_MULTIPART: return multipart_remove(body->text, body->boundary, name, out);
    case KEY_BODY_OPAQUE: break;
    }
    return body->text;
}
