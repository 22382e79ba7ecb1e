/* SPDX-License-Identifier: Apache-2.0 */
/* target.h -- where a request goes: the addresses behind a service's host, and one of them by
 * turns. */
#ifndef SLUICE_PROXY_TARGET_H
#define SLUICE_PROXY_TARGET_H

#include "proxy/upstream_pool.h"

struct request;
struct worker;

enum target_result {
    TARGET_READY,     /* *key is filled in */
    TARGET_WAITING,   /* DNS was asked; upstream_try() is called with the answer */
    TARGET_NOT_FOUND, /* no such name, or no address: 503 */
    TARGET_FAILED,    /* DNS failed otherwise (*text says how): 500 */
    TARGET_NO_MEMORY,
};

/* Next address for this try, not one that failed before while there are others. */
enum target_result target_next(struct request *request, struct upstream_key *key, const char **text)
    __attribute__((warn_unused_result));
/* The address that target_next() gave last did not work. */
void target_avoid(struct request *request);
/* Forgets the answer and stops waiting. */
void target_clear(struct request *request);
/* Ends the worker's table of names. */
void target_clear_all(struct worker *worker);

#endif
