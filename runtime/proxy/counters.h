/* SPDX-License-Identifier: Apache-2.0 */
/* counters.h -- counts per key and time window, shared by all workers of a node.
 *
 * A sharded hash table; each shard has its mutex, held for one lookup and never over I/O. All
 * windows of one key live in one shard, so that taking from several windows is one atomic step.
 * Windows end by themselves: a slot whose window is over is used again. Bounded by
 * COUNTERS_MAX_KEYS. */
#ifndef SLUICE_PROXY_COUNTERS_H
#define SLUICE_PROXY_COUNTERS_H

#include "pdk.h"

enum { COUNTERS_MAX_KEYS = 4 * 1024 * 1024 };

struct counters;

struct counters *counters_create(void) __attribute__((warn_unused_result));
void counters_destroy(struct counters *counters);
/* See pdk_counters_api.take(); `now_s` is Unix time in seconds. When out of memory or full, the
 * request is let through uncounted: a full table must not refuse everybody. */
bool counters_take(struct counters *counters, struct pdk_str key, struct pdk_window *windows,
                   size_t count, int64_t cost, int64_t now_s);

#endif
