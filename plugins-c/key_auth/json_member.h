/* SPDX-License-Identifier: Apache-2.0 */
/* json_member.h -- the members of a JSON object, one level deep (RFC 8259). Pure; the caller brings
 * the memory. A text that is not JSON, or not an object, has no members. */
#ifndef SLUICE_PLUGINS_C_KEY_AUTH_JSON_MEMBER_H
#define SLUICE_PLUGINS_C_KEY_AUTH_JSON_MEMBER_H

#include "found.h"

/* Looks for member `name` (ASCII). Only a string is FOUND_TEXT; an array or object is
 * FOUND_SEVERAL, and so is a member that is there twice: readers differ in which of the two they
 * believe. */
struct found json_member_find(struct pdk_str text, struct pdk_str name);
/* Decodes the escapes of a found text into `out` (text.len bytes are enough). */
struct pdk_str json_member_decode(struct pdk_str text, char *out);
/* Copies `text` without the members called `name` to `out` (text.len bytes are enough); as it is if
 * it is no object. */
struct pdk_str json_member_remove(struct pdk_str text, struct pdk_str name, char *out);

#endif
