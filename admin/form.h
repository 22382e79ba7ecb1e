/* SPDX-License-Identifier: Apache-2.0 */
/* form.h -- form fields to nested JSON (reference/admin-api.md section 2.3). Pure.
 *
 * A field name is a path: "config.minute", "paths[]", "paths[2]", "headers[x-a]", "a.b[1].c".
 * Values stay strings; schema_convert_form() gives them their types afterwards. */
#ifndef SLUICE_ADMIN_FORM_H
#define SLUICE_ADMIN_FORM_H

#include <jansson.h>
#include <stdbool.h>

#include "base/slice.h"

enum form_result {
    FORM_OK,
    FORM_TOO_MANY, /* more than FORM_MAX_FIELDS */
    FORM_BAD,      /* bytes that are no UTF-8 text, NUL, a path out of bounds, broken multipart */
    FORM_NO_MEMORY,
};

enum {
    FORM_MAX_FIELDS = 1000,
    FORM_MAX_DEPTH = 16, /* steps of one field name */
    FORM_MAX_GAP = 256,  /* how far a[n] may lie behind the last position */
};

/* Adds one field to `root` (an object). is_map_allowed: "a[key]" with a key that is no number makes
 * a map; otherwise (query arguments) such a name is taken as it is. Takes over the reference to
 * `value`, which may be NULL (FORM_NO_MEMORY then). */
enum form_result form_add(json_t *root, struct slice name, json_t *value, bool is_map_allowed)
    __attribute__((warn_unused_result));
/* application/x-www-form-urlencoded, or a query. *out: new object; untouched unless FORM_OK. */
enum form_result form_decode_urlencoded(struct slice text, bool is_map_allowed, json_t **out)
    __attribute__((warn_unused_result));
/* multipart/form-data (RFC 7578). The boundary comes from the Content-Type value. File names are
 * ignored; a part with Content-Type application/json is taken as that JSON value. */
enum form_result form_decode_multipart(struct slice body, struct slice content_type, json_t **out)
    __attribute__((warn_unused_result));

#endif
