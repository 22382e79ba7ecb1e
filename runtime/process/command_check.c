/* SPDX-License-Identifier: Apache-2.0 */
/* command_check.c -- the commands that start nothing: check, prepare, version, config parse. */
#include <event2/event.h>
#include <luajit.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/declarative.h"
#include "config/options.h"
#include "plugin/plugin.h"
#include "process/command.h"
#include "process/prefix.h"
#include "proxy/pdk_host.h"

int command_check(const struct command_arguments *arguments)
{
    const char *path = arguments->words[0];
    char *error;
    if (path == NULL)
        path = "/etc/sluice/sluice.conf";
    struct options *options = options_load(path, NULL, &error);
    if (options != NULL)
        (void)printf("configuration at %s is valid\n", path);
    else
        (void)command_fail(arguments, "%s", error != NULL ? error : "out of memory");
    int status = options == NULL ? 1 : 0;
    options_destroy(options);
    free(error);
    return status;
}

int command_prepare(const struct command_arguments *arguments)
{
    struct options *options = command_load(arguments);
    char *error = NULL;
    char *cert = NULL, *key = NULL, *admin_cert = NULL, *admin_key = NULL;
    if (options == NULL)
        return 1;
    bool is_ok = prefix_prepare(options, &error) &&
                 prefix_tls_pair(options, "default", &cert, &key, &error) &&
                 prefix_tls_pair(options, "admin", &admin_cert, &admin_key, &error);
    if (!is_ok)
        (void)command_fail(arguments, "%s", error != NULL ? error : "out of memory");
    free(cert);
    free(key);
    free(admin_cert);
    free(admin_key);
    free(error);
    options_destroy(options);
    return is_ok ? 0 : 1;
}

int command_version(const struct command_arguments *arguments)
{
    if (!arguments->is_all) {
        (void)puts(SLUICE_VERSION);
        return 0;
    }
    (void)printf("Sluice: %s\nKong API: %s\nlibevent: %s\nLua: %s\nOpenSSL: %s\n", SLUICE_VERSION,
                 KONG_VERSION, event_get_version(), LUAJIT_VERSION,
                 OpenSSL_version(OPENSSL_VERSION_STRING));
    return 0;
}

/* --------------------------------------------------------------------------------- config parse */
static const struct schema *find_schema(void *context, struct slice name)
{
    const struct plugin_type *type = plugin_set_find(context, name);
    return type == NULL ? NULL : type->schema;
}

static int check_document(const struct command_arguments *arguments, const char *path,
                          struct plugin_set *plugins)
{
    json_t *entities = NULL;
    json_t *errors = NULL;
    enum declarative_result result =
        declarative_load_file(path, find_schema, plugins, &entities, &errors);
    if (result == DECLARATIVE_OK) {
        json_decref(entities);
        (void)puts("parse successful");
        return 0;
    }
    char *text = result == DECLARATIVE_NO_MEMORY ? NULL : declarative_error_text(errors);
    int status =
        command_fail(arguments, "Failed parsing:\n%s", text != NULL ? text : "out of memory");
    free(text);
    json_decref(errors);
    return status;
}

static int parse_file(const struct command_arguments *arguments, const char *path)
{
    struct plugin_set plugins = {0};
    char *error = NULL;
    size_t count = 0;
    struct options *options = command_load(arguments);
    if (options == NULL)
        return 1;
    while (options->plugins[count] != NULL)
        count++;
    const struct plugin_search search = {
        .c_dirs = (const char *const *)options->plugin_dirs,
        .lua_path = options->lua_package_path,
        .lua_cpath = options->lua_package_cpath,
    };
    bool is_loaded = plugin_set_load(&plugins, (const char *const *)options->plugins, count,
                                     &search, pdk_host_offline(), NULL, &error);
    int status = is_loaded ? check_document(arguments, path, &plugins)
                           : command_fail(arguments, "%s", error != NULL ? error : "out of memory");
    plugin_set_clear(&plugins);
    free(error);
    options_destroy(options);
    return status;
}

int command_config(const struct command_arguments *arguments)
{
    const char *verb = arguments->words[0];
    if (verb == NULL || strcmp(verb, "parse") != 0)
        return command_fail(arguments, "expected 'sluice config parse <file>', found %s%s%s",
                            verb == NULL ? "nothing" : "'", verb == NULL ? "" : verb,
                            verb == NULL ? "" : "'");
    if (arguments->words[1] == NULL)
        return command_fail(arguments, "config parse: expected a file");
    return parse_file(arguments, arguments->words[1]);
}
