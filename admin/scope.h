/* SPDX-License-Identifier: Apache-2.0 */
/* scope.h -- whether a plugin row fits the route or service that it is for (section 8). */
#ifndef SLUICE_ADMIN_SCOPE_H
#define SLUICE_ADMIN_SCOPE_H

#include <jansson.h>
#include <stdbool.h>

struct call;
struct schema_errors;

/* `row` has passed its schema. A plugin must share a protocol with its route, or with at least one
 * route of its service if that has any; else an error on `protocols` is added. Parents that do not
 * exist are left to the store. False: the store failed, the call is answered. */
bool scope_check(struct call *call, const json_t *row, struct schema_errors *errors)
    __attribute__((warn_unused_result));

#endif
