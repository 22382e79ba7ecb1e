/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_c.h -- plugins that are shared objects: loading, the ABI check, calling handlers. */
#ifndef SLUICE_PLUGIN_PLUGIN_C_H
#define SLUICE_PLUGIN_PLUGIN_C_H

#include "plugin/plugin.h"

enum plugin_c_load_result {
    PLUGIN_C_LOADED,    /* *out is the plugin */
    PLUGIN_C_NOT_FOUND, /* *not_found: heap text, every path that was tried, one a line */
    PLUGIN_C_FAILED,    /* *error: heap text that names plugin, file and reason */
};

/* Looks for <dir>/<name>.so ("-" may be "_" in the file's name) in every directory of
 * search->c_dirs. `kong` is what check() and configure() get. plugin_c_unload() ends the result. */
enum plugin_c_load_result plugin_c_load(const char *name, const struct plugin_search *search,
                                        const struct pdk *kong, struct plugin_type **out,
                                        char **not_found, char **error)
    __attribute__((warn_unused_result));
/* NULL is allowed. */
void plugin_c_unload(struct plugin_type *type);

extern const struct plugin_vtable plugin_c_vtable;

#endif
