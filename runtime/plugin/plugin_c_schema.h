/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_c_schema.h -- the declared fields of a C plugin as a struct schema. */
#ifndef SLUICE_PLUGIN_PLUGIN_C_SCHEMA_H
#define SLUICE_PLUGIN_PLUGIN_C_SCHEMA_H

#include "base/arena.h"
#include "pdk.h"

struct schema;

/* Everything lives in `arena`, JSON values included (they go with it). `kong` is what the plugin's
 * check() gets. NULL: *error is a heap text that names the field and what is wrong with it. */
struct schema *plugin_c_schema(struct arena *arena, const struct pdk_plugin *plugin,
                               const struct pdk *kong, char **error)
    __attribute__((warn_unused_result));

#endif
