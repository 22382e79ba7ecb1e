/* SPDX-License-Identifier: Apache-2.0 */
/* key_body.h -- one view of the three kinds of body that may carry a key. Pure; the caller brings
 * the memory. */
#ifndef SLUICE_PLUGINS_C_KEY_AUTH_KEY_BODY_H
#define SLUICE_PLUGINS_C_KEY_AUTH_KEY_BODY_H

#include "found.h"

enum key_body_kind { KEY_BODY_OPAQUE, KEY_BODY_FORM, KEY_BODY_JSON, KEY_BODY_MULTIPART };

struct key_body {
    enum key_body_kind kind;
    struct pdk_str boundary; /* multipart */
    struct pdk_str text;
};

/* What a Content-Type value says the body is; `text` is left to the caller. Absent: opaque. */
struct key_body key_body_of(struct pdk_str content_type);
struct found key_body_find(const struct key_body *body, struct pdk_str name);
/* Decodes what key_body_find() found into `out` (found.len bytes are enough). */
struct pdk_str key_body_decode(const struct key_body *body, struct pdk_str found, char *out);
/* The body without `name`, written to `out` (KEY_BODY_GROWTH * text.len bytes are enough). */
struct pdk_str key_body_remove(const struct key_body *body, struct pdk_str name, char *out);

enum { KEY_BODY_GROWTH = 3 }; /* that of forms; the others only shrink */

#endif
