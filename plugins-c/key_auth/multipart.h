/* SPDX-License-Identifier: Apache-2.0 */
/* multipart.h -- the named parts of a multipart/form-data body (RFC 7578, RFC 2046 section 5.1).
 * Pure; the caller brings the memory. A body without its closing delimiter has no parts. */
#ifndef SLUICE_PLUGINS_C_KEY_AUTH_MULTIPART_H
#define SLUICE_PLUGINS_C_KEY_AUTH_MULTIPART_H

#include "found.h"

/* The boundary parameter of a Content-Type value; absent if it has none. */
struct pdk_str multipart_boundary(struct pdk_str content_type);
/* Looks for the part called `name`; its content is FOUND_TEXT. */
struct found multipart_find(struct pdk_str body, struct pdk_str boundary, struct pdk_str name);
/* Copies `body` without the parts called `name` to `out` (body.len bytes are enough); as it is if
 * it is malformed. */
struct pdk_str multipart_remove(struct pdk_str body, struct pdk_str boundary, struct pdk_str name,
                                char *out);

#endif
