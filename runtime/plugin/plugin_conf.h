/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_conf.h -- kong->conf: how a C plugin reads a configuration that the schema has checked. */
#ifndef SLUICE_PLUGIN_PLUGIN_CONF_H
#define SLUICE_PLUGIN_PLUGIN_CONF_H

#include <jansson.h>

#include "base/arena.h"
#include "pdk.h"

struct schema_errors;

/* One reading: lives on the caller's stack during configure() or check(). */
struct pdk_conf {
    const json_t *root;           /* the `config` record */
    struct arena *arena;          /* where alloc() and texts live; owned by the configuration */
    struct schema_errors *errors; /* check() reports here; NULL in configure() */
};

extern const struct pdk_conf_api plugin_conf_table;

#endif
