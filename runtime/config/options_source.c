/* SPDX-License-Identifier: Apache-2.0 */
/* options_source.c -- see options_source.h (reference/config-and-cli.md section 1). */
#include "config/options_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/options.h"
#include "config/options_file.h"
#include "config/options_table.h"
#include "config/options_value.h"

enum {
    MAX_TEXT_BYTES = 256 * 1024, /* of all problems or warnings */
    MAX_SETTINGS = 4096,
    MAX_NAME_BYTES = 256,
};

extern char **environ;

/* -------------------------------------------------------------------------------------- reports */
__attribute__((format(printf, 3, 0))) static void report(struct options_source *source,
                                                         struct buffer *to, const char *format,
                                                         const char *origin, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) {
        source->is_out_of_memory = true;
        return;
    }
    bool is_whole = buffer_append(to, slice_of(text), MAX_TEXT_BYTES);
    if (is_whole && origin != NULL)
        is_whole = buffer_append(to, SLICE("; set by "), MAX_TEXT_BYTES) &&
                   buffer_append(to, slice_of(origin), MAX_TEXT_BYTES);
    /* Beyond the limit nobody reads on: a line that was cut off is the last one. */
    if (!is_whole || !buffer_append(to, SLICE("\n"), MAX_TEXT_BYTES))
        source->is_out_of_memory |= buffer_len(to) < MAX_TEXT_BYTES / 2;
    free(text);
}

void options_source_fail(struct options_source *source, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(source, &source->problems, format, NULL, args);
    va_end(args);
}

void options_source_reject(struct options_source *source, const struct options_setting *setting,
                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(source, &source->problems, format, setting->origin, args);
    va_end(args);
}

__attribute__((format(printf, 2, 3))) static void warn(struct options_source *source,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(source, &source->warnings, format, NULL, args);
    va_end(args);
}

/* ------------------------------------------------------------------------------------- settings */
static void free_setting(struct options_setting *setting)
{
    if (setting == NULL)
        return;
    free(setting->name);
    free(setting->text);
    free(setting->reference);
    free(setting->origin);
    free(setting);
}

static struct options_setting *add(struct options_source *source, const char *name,
                                   const struct option_key *key)
{
    if (source->count == MAX_SETTINGS) {
        options_source_fail(source, "%s: more than %d keys", name, MAX_SETTINGS);
        return NULL;
    }
    struct options_setting *setting = calloc(1, sizeof(*setting));
    struct options_setting **settings =
        realloc(source->settings, (source->count + 1) * sizeof(struct options_setting *));
    if (settings != NULL)
        source->settings = settings;
    if (setting == NULL || settings == NULL || (setting->name = strdup(name)) == NULL ||
        !map_set(&source->by_name, slice_of(setting->name), setting)) {
        source->is_out_of_memory = true;
        free_setting(setting);
        return NULL;
    }
    setting->key = key;
    source->settings[source->count++] = setting;
    return setting;
}

static void set(struct options_source *source, struct options_setting *setting, struct slice text,
                const char *origin)
{
    free(setting->text);
    free(setting->origin);
    setting->text = text.len == 0 ? NULL : slice_dup(text);
    setting->origin = origin == NULL ? NULL : strdup(origin);
    if ((text.len > 0 && setting->text == NULL) || (origin != NULL && setting->origin == NULL))
        source->is_out_of_memory = true;
}

static void warn_unknown(struct options_source *source, const char *name, const char *origin)
{
    const char *nearest = options_table_nearest(name);
    warn(source, "unknown configuration key '%s' (%s) is ignored%s%s%s", name, origin,
         nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
         nearest == NULL ? "" : "'?");
}

void options_source_put(struct options_source *source, const char *name, struct slice text,
                        const char *origin)
{
    const struct option_key *key = options_table_find(name);
    if (strlen(name) > MAX_NAME_BYTES || (key == NULL && !options_table_is_dynamic(name))) {
        warn_unknown(source, name, origin);
        return;
    }
    if (key != NULL)
        name = key->name;
    struct options_setting *setting = map_get(&source->by_name, slice_of(name));
    if (setting == NULL)
        setting = add(source, name, key);
    if (setting != NULL)
        set(source, setting, text, origin);
}

const struct options_setting *options_source_find(const struct options_source *source,
                                                  const char *name)
{
    return map_get(&source->by_name, slice_of(name));
}

const char *options_source_text(const struct options_source *source, const char *name)
{
    const struct options_setting *setting = options_source_find(source, name);
    return setting == NULL ? NULL : setting->text;
}

/* --------------------------------------------------------------------------------------- layers */
/* Root, and whoever may write there, shares /usr/local/sluice; anybody else has a prefix of his
 * own. */
static void put_default_prefix(struct options_source *source)
{
    static const char shared[] = "/usr/local/sluice";
    const char *home = getenv("HOME");
    char own[4096];
    bool is_shared = geteuid() == 0 || access(shared, W_OK) == 0 ||
                     (access(shared, F_OK) != 0 && access("/usr/local", W_OK) == 0);
    (void)snprintf(own, sizeof(own), "%s/.sluice", home == NULL ? "" : home);
    if (is_shared || home == NULL || home[0] != '/')
        options_source_put(source, "prefix", slice_of(shared), NULL);
    else
        options_source_put(source, "prefix", slice_of(own), NULL);
}

static void put_defaults(struct options_source *source)
{
    for (const struct option_key *key = options_table; key->name != NULL; key++)
        options_source_put(source, key->name, slice_of(key->value), NULL);
    put_default_prefix(source);
}

static void read_file(struct options_source *source, const char *config_path)
{
    static const char *const places[] = {"/etc/sluice/sluice.conf", "/etc/sluice.conf"};
    for (size_t i = 0; config_path == NULL && i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], F_OK) == 0)
            config_path = places[i];
    if (config_path == NULL)
        return;
    source->config_path = realpath(config_path, NULL);
    options_file_read(source, config_path);
}

/* Variables with our prefixes that are no keys: those of Kong's images, of our own scripts and
 * specs, and the links that Docker and Kubernetes make up for a service with such a name. */
static bool is_foreign_variable(const char *name, const char *value)
{
    static const char *const ours[] = {"version", "license_data", "sha256",   "artifact",
                                       "bin",     "build",        "spec_dir", "results"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strcmp(name, ours[i]) == 0)
            return true;
    return strncmp(name, "test_", 5) == 0 || strstr(name, "service_host") != NULL ||
           strstr(name, "service_port") != NULL || strstr(name, "_tcp_") != NULL ||
           strstr(name, "_udp_") != NULL || strncmp(value, "tcp://", 6) == 0 ||
           strncmp(value, "udp://", 6) == 0;
}

static void read_environment(struct options_source *source, const char *prefix)
{
    size_t len = strlen(prefix);
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        const char *equals = strchr(*at, '=');
        char origin[MAX_NAME_BYTES], name[MAX_NAME_BYTES];
        if (strncmp(*at, prefix, len) != 0 || equals == NULL || equals <= *at + len ||
            (size_t)(equals - *at) >= sizeof(origin))
            continue;
        (void)snprintf(origin, sizeof(origin), "%.*s", (int)(equals - *at), *at);
        for (size_t i = len; i <= strlen(origin); i++)
            name[i - len] = slice_lower(origin[i]);
        if (options_table_find(name) != NULL || !is_foreign_variable(name, equals + 1))
            options_source_put(source, name, slice_of(equals + 1), origin);
    }
}

static void resolve_references(struct options_source *source)
{
    const char *prefix = options_source_text(source, "vault_env_prefix");
    for (size_t i = 0; i < source->count; i++) {
        struct options_setting *setting = source->settings[i];
        char *why = NULL;
        if (setting->text == NULL || !options_value_is_reference(setting->text))
            continue;
        setting->reference = setting->text;
        setting->text = options_value_resolve(setting->reference, prefix, &why);
        if (setting->text == NULL && why == NULL)
            source->is_out_of_memory = true;
        if (why != NULL)
            options_source_reject(source, setting, "%s: %s", setting->name, why);
        free(why);
    }
}

void options_source_read(struct options_source *source, const char *config_path,
                         const struct options_override *overrides)
{
    put_defaults(source);
    read_file(source, config_path);
    read_environment(source, "KONG_");
    read_environment(source, "SLUICE_");
    for (const struct options_override *at = overrides; at != NULL && at->key != NULL; at++)
        options_source_put(source, at->key, slice_of(at->value), "the command line");
    resolve_references(source);
}

void options_source_clear(struct options_source *source)
{
    for (size_t i = 0; i < source->count; i++)
        free_setting(source->settings[i]);
    free(source->settings);
    free(source->config_path);
    map_clear(&source->by_name);
    buffer_clear(&source->problems);
    buffer_clear(&source->warnings);
    *source = (struct options_source){0};
}
