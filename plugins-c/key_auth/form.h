/* SPDX-License-Identifier: Apache-2.0 */
/* form.h -- "name=value&..." texts: query strings and application/x-www-form-urlencoded bodies.
 * Pure; the caller brings the memory. */
#ifndef SLUICE_PLUGINS_C_KEY_AUTH_FORM_H
#define SLUICE_PLUGINS_C_KEY_AUTH_FORM_H

#include "found.h"

/* Looks for `name`, whose occurrences may be escaped. `?name` without "=" is FOUND_OTHER. */
struct found form_find(struct pdk_str text, struct pdk_str name);
/* Decodes %XX and "+" of a found text into `out` (text.len bytes are enough); wrong triplets stay
 * as they are. The result begins at `out`. */
struct pdk_str form_decode(struct pdk_str text, char *out);
/* Copies `text` without the arguments called `name` to `out` (FORM_GROWTH * text.len bytes are
 * enough). Bytes that may not stand in a request line are escaped. */
struct pdk_str form_remove(struct pdk_str text, struct pdk_str name, char *out);

enum { FORM_GROWTH = 3 }; /* a byte becomes %XX at most */

#endif
