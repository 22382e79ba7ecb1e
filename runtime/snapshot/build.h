/* SPDX-License-Identifier: Apache-2.0 */
/* build.h -- turns stored rows into snapshots.
 *
 * A builder lives on the admin thread. It keeps the parsed entities by id and makes a new snapshot
 * out of them on demand; parts that no change touched are shared with the snapshot before. A row
 * that cannot be used (bad type, unknown plugin, failing configure) is left out and logged: it
 * never takes the node down. */
#ifndef SLUICE_SNAPSHOT_BUILD_H
#define SLUICE_SNAPSHOT_BUILD_H

#include "config/store.h"
#include "snapshot/snapshot.h"

struct builder;

/* `set` and `log` outlive the builder. NULL: out of memory. */
struct builder *builder_create(const struct plugin_set *set, struct log *log)
    __attribute__((warn_unused_result));
void builder_destroy(struct builder *builder);
/* Reads everything from the store in one consistent view, forgetting what was known. On failure
 * nothing is changed. */
enum store_result builder_load(struct builder *builder, struct store *store,
                               struct store_error *error) __attribute__((warn_unused_result));
/* Number of the last entry of the store's change log that the last load saw. */
int64_t builder_position(const struct builder *builder);
/* Applies one committed write: `row` is the stored row, NULL if it was deleted (with everything
 * that refers to it by a cascade). False: out of memory; load again. */
bool builder_apply(struct builder *builder, const struct schema *schema, const char *id,
                   const json_t *row) __attribute__((warn_unused_result));
/* The snapshot of what is known now; the caller owns the reference. NULL: out of memory. */
struct snapshot *builder_snapshot(struct builder *builder) __attribute__((warn_unused_result));

#endif
