/* SPDX-License-Identifier: Apache-2.0 */
/* page.h -- lists: size, offset tokens and tag filters (reference/admin-api.md section 4). */
#ifndef SLUICE_ADMIN_PAGE_H
#define SLUICE_ADMIN_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct call;
struct schema;

enum { PAGE_DEFAULT_SIZE = 100, PAGE_MAX_SIZE = 1000, PAGE_MAX_TAGS = 5 };

/* ?size=, error code 9. False: answered. */
bool page_size(struct call *call, size_t *size) __attribute__((warn_unused_result));
/* ?offset=: the JSON value in the token, new reference, NULL without an offset. Error code 7. */
bool page_offset(struct call *call, json_t **value) __attribute__((warn_unused_result));
/* {"data": rows, "offset": token, "next": path}; takes over `rows` and `last`, the value that the
 * next page starts after (NULL: this is the last page). `suffix`: more query text for "next". */
void page_answer(struct call *call, json_t *rows, json_t *last, const char *path,
                 const char *suffix);
/* Printable ASCII but "," and "/", or bytes of UTF-8; not empty. */
bool page_is_tag(const char *text);
/* A page of rows of `schema`; with `parent_id` only those whose `field` is that parent, under
 * the path that the request has used. */
void page_list(struct call *call, const struct schema *schema);
void page_list_children(struct call *call, const struct schema *schema, const struct schema *parent,
                        const char *field, const char *parent_id);

#endif
