/* SPDX-License-Identifier: Apache-2.0 */
/* options_paths.c -- see options_paths.h. The only file that knows the installation paths: `make
 * install` compiles it anew. */
#include "config/options_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options_value.h"

#ifndef SLUICE_LIBDIR
#define SLUICE_LIBDIR "/usr/local/lib/sluice"
#endif
#ifndef SLUICE_DATADIR
#define SLUICE_DATADIR "/usr/local/share/sluice"
#endif

enum { MAX_PATH_BYTES = 4096 };

/* Folder of the running binary; "" if the system does not tell. */
static void find_binary(char out[MAX_PATH_BYTES])
{
    ssize_t len = readlink("/proc/self/exe", out, MAX_PATH_BYTES - 1);
    out[len < 0 ? 0 : len] = '\0';
    char *slash = strrchr(out, '/');
    *(slash == NULL ? out : slash) = '\0';
}

char **options_paths_plugins(const char *user)
{
    static const char installed[] = SLUICE_LIBDIR "/plugins";
    char binary[MAX_PATH_BYTES];
    char *beside = NULL;
    char *text = NULL;
    char **list = NULL;
    find_binary(binary);
    if (asprintf(&beside, "%s/plugins", binary) < 0)
        return NULL;
    /* In a build folder the two are one; a path named twice would be searched and reported twice.
     */
    const char *last = strcmp(beside, installed) == 0 ? "" : installed;
    if (asprintf(&text, "%s,%s,%s", user == NULL ? "" : user, beside, last) >= 0) {
        list = options_value_list(text);
        free(text);
    }
    free(beside);
    return list;
}

/* <binary>/../<name>, without the "..": NULL if there is no such folder. */
static char *beside_build(const char *name)
{
    char binary[MAX_PATH_BYTES];
    char *path;
    find_binary(binary);
    char *slash = strrchr(binary, '/');
    *(slash == NULL ? binary : slash) = '\0';
    if (asprintf(&path, "%s/%s", binary, name) < 0)
        return NULL;
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *options_paths_lua_dir(void)
{
    char *path = beside_build("pdk/lua");
    return path != NULL ? path : strdup(SLUICE_DATADIR "/pdk/lua");
}

char *options_paths_lua(const char *user, const char *lua_dir)
{
    char *own = beside_build("plugins-lua");
    char *path;
    const char *dir = own != NULL ? own : SLUICE_DATADIR "/plugins-lua";
    const char *semicolon =
        user == NULL || *user == '\0' || user[strlen(user) - 1] == ';' ? "" : ";";
    int n = asprintf(&path, "%s%s%s/?.lua;%s/?/init.lua;%s/?.lua;%s/?/init.lua",
                     user == NULL ? "" : user, semicolon, dir, dir, lua_dir, lua_dir);
    free(own);
    return n < 0 ? NULL : path;
}
