/* SPDX-License-Identifier: Apache-2.0 */
/* options.c -- see options.h. The steps: read the layers as text (options_source.c), check each
 * text by the kind of its key (options_check.c), fill the typed members (options_fill.c), make the
 * JSON forms (options_show.c). */
#include "config/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options_check.h"
#include "config/options_fill.h"
#include "config/options_show.h"
#include "config/options_source.h"
#include "config/options_table.h"
#include "config/options_value.h"

/* The problems without the last line end. */
static char *take_problems(const struct options_source *source)
{
    struct slice text = buffer_slice(&source->problems);
    return text.len == 0 ? NULL : slice_dup(slice_make(text.ptr, text.len - 1));
}

static void print_warnings(const struct options_source *source)
{
    struct slice rest = buffer_slice(&source->warnings);
    struct slice line;
    while (slice_split(&rest, '\n', &line))
        if (line.len > 0)
            (void)fprintf(stderr, "Warning: %.*s\n", SLICE_ARG(line));
}

struct options *options_load_with(const char *config_path, const struct options_override *overrides,
                                  char **error)
{
    struct options_source source = {0};
    struct options *options = calloc(1, sizeof(*options));
    *error = NULL;
    if (options == NULL)
        return NULL;
    options_source_read(&source, config_path, overrides);
    print_warnings(&source);
    options_check(&source);
    options_fill(options, &source);
    bool is_ok = !source.is_out_of_memory && buffer_len(&source.problems) == 0 &&
                 options_show(options, &source);
    if (!is_ok) {
        *error = take_problems(&source);
        options_destroy(options);
        options = NULL;
    }
    options_source_clear(&source);
    return options;
}

struct options *options_load(const char *config_path, const char *prefix, char **error)
{
    const struct options_override overrides[] = {{prefix == NULL ? NULL : "prefix", prefix}, {0}};
    return options_load_with(config_path, overrides, error);
}

char *options_prefix(const char *config_path, const char *prefix, char **error)
{
    const struct options_override overrides[] = {{prefix == NULL ? NULL : "prefix", prefix}, {0}};
    struct options_source source = {0};
    char *out = NULL;
    options_source_read(&source, config_path, overrides);
    *error = take_problems(&source);
    if (*error == NULL && !source.is_out_of_memory)
        out = options_fill_prefix(&source);
    options_source_clear(&source);
    return out;
}

static void free_texts(struct options *options)
{
    char *const texts[] = {
        options->prefix,
        options->config_path,
        options->database,
        options->sqlite_path,
        options->pg.host,
        options->pg.database,
        options->pg.user,
        options->pg.password,
        options->pg.schema,
        options->pg.ssl_mode,
        options->declarative_config,
        options->declarative_config_string,
        options->proxy_access_log,
        options->proxy_error_log,
        options->admin_access_log,
        options->admin_error_log,
        options->status_access_log,
        options->status_error_log,
        options->lua_package_path,
        options->lua_package_cpath,
        options->lua_dir,
        options->ssl_cert,
        options->ssl_cert_key,
        options->admin_ssl_cert,
        options->admin_ssl_cert_key,
        options->lua_ssl_trusted_certificate,
        options->real_ip_header,
        options->error_default_type,
        options->dns.resolver,
        options->dns.hostsfile,
        options->dns.order,
        options->router_flavor,
        options->admin_gui_url,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
}

void options_destroy(struct options *options)
{
    if (options == NULL)
        return;
    free_texts(options);
    options_value_list_free(options->plugins);
    options_value_list_free(options->plugin_dirs);
    options_value_list_free(options->trusted_ips);
    listen_list_clear(&options->proxy_listen);
    listen_list_clear(&options->admin_listen);
    listen_list_clear(&options->status_listen);
    json_decref(options->effective);
    json_decref(options->raw);
    json_decref(options->references);
    json_decref(options->origins);
    free(options);
}

const char *options_text(const struct options *options, const char *key)
{
    const struct option_key *known = options_table_find(key);
    return json_string_value(json_object_get(options->raw, known == NULL ? key : known->name));
}
