/* SPDX-License-Identifier: Apache-2.0 */
/* tags.h -- /tags and /tags/{tag}: pages of {tag, entity_name, entity_id}. Writing is refused. */
#ifndef SLUICE_ADMIN_TAGS_H
#define SLUICE_ADMIN_TAGS_H

struct call;

void tags_all(struct call *call);
void tags_one(struct call *call);

#endif
