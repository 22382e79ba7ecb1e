/* SPDX-License-Identifier: Apache-2.0 */
/* options_paths.h -- where this build keeps its plugins and its Lua modules: beside the binary in a
 * build folder, below the installation prefix otherwise. */
#ifndef SLUICE_CONFIG_OPTIONS_PATHS_H
#define SLUICE_CONFIG_OPTIONS_PATHS_H

/* `user` (the key plugin_dirs, may be NULL), then <binary>/plugins, then SLUICE_LIBDIR/plugins.
 * NULL-terminated; options_value_list_free(). NULL: out of memory, like all functions here. */
char **options_paths_plugins(const char *user) __attribute__((warn_unused_result));
/* Folder of the PDK's Lua modules: <binary>/../pdk/lua if there is one, else
 * SLUICE_DATADIR/pdk/lua. */
char *options_paths_lua_dir(void) __attribute__((warn_unused_result));
/* package.path: `user` (the key lua_package_path, may be NULL), the Lua plugins of the build folder
 * and of the installation, and `lua_dir`. */
char *options_paths_lua(const char *user, const char *lua_dir) __attribute__((warn_unused_result));

#endif
