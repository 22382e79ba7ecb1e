/* SPDX-License-Identifier: Apache-2.0 */
/* crud.h -- endpoints of the generated paths; which schema they work on is in call->route. */
#ifndef SLUICE_ADMIN_CRUD_H
#define SLUICE_ADMIN_CRUD_H

struct call;

void crud_collection(struct call *call);       /* /routes */
void crud_item(struct call *call);             /* /routes/{routes} */
void crud_child_collection(struct call *call); /* /services/{services}/routes */
void crud_child_item(struct call *call);       /* /services/{services}/routes/{routes} */
void crud_parent_item(struct call *call);      /* /routes/{routes}/service */

#endif
