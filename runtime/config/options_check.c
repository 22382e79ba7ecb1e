/* SPDX-License-Identifier: Apache-2.0 */
/* options_check.c -- see options_check.h. Texts are Kong's where it has one
 * (reference/config-and-cli.md sections 1 and 2). */
#include "config/options_check.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"
#include "config/options_source.h"
#include "config/options_table.h"
#include "config/options_value.h"

/* -------------------------------------------------------------------------------------- one key */
static void check_number(struct options_source *source, const struct options_setting *at)
{
    double value;
    if (!options_value_number(at->text, &value))
        options_source_reject(source, at, "%s is not a number: '%s' (%.12g to %.12g)", at->name,
                              at->text, at->key->min, at->key->max);
    else if (value < at->key->min || value > at->key->max)
        options_source_reject(source, at, "%s has an invalid value: '%s' (%.12g to %.12g)",
                              at->name, at->text, at->key->min, at->key->max);
}

static void check_count(struct options_source *source, const struct options_setting *at)
{
    double value;
    if (strcmp(at->text, "auto") == 0)
        return;
    if (!options_value_number(at->text, &value) || value != floor(value) || value < at->key->min ||
        value > at->key->max)
        options_source_reject(source, at, "%s has an invalid value: '%s' (auto, %.0f to %.0f)",
                              at->name, at->text, at->key->min, at->key->max);
}

static void check_choices(struct options_source *source, const struct options_setting *at)
{
    char **list = options_value_list(at->text);
    for (char **item = list; item != NULL && *item != NULL; item++)
        if (!options_value_choice(*item, at->key->accepts, NULL))
            options_source_reject(source, at, "%s: invalid entry '%s' (%s)", at->name, *item,
                                  at->key->accepts);
    source->is_out_of_memory |= list == NULL;
    options_value_list_free(list);
}

static void check_setting(struct options_source *source, const struct options_setting *at)
{
    bool is_on;
    uint64_t bytes;
    int64_t ms;
    switch (at->key->kind) {
    case OPTION_BOOLEAN:
    case OPTION_SWITCH:
        if (!options_value_boolean(at->text, &is_on))
            options_source_reject(source, at, "%s has an invalid value: '%s' (on, off)", at->name,
                                  at->text);
        break;
    case OPTION_NUMBER: check_number(source, at); break;
    case OPTION_COUNT: check_count(source, at); break;
    case OPTION_CHOICE:
        if (!options_value_choice(at->text, at->key->accepts, NULL))
            options_source_reject(source, at, "%s has an invalid value: '%s' (%s)", at->name,
                                  at->text, at->key->accepts);
        break;
    case OPTION_CHOICES: check_choices(source, at); break;
    case OPTION_SIZE:
        if (!options_value_size(at->text, &bytes))
            options_source_reject(source, at,
                                  "%s is not a size: '%s' (bytes, or as in 8k, 10m, 1g)", at->name,
                                  at->text);
        break;
    case OPTION_TIME:
        if (!options_value_time(at->text, &ms))
            options_source_reject(source, at,
                                  "%s is not a time: '%s' (seconds, or as in 500ms, 10s, 5m, 1h)",
                                  at->name, at->text);
        break;
    case OPTION_LOG:
        if (strncmp(at->text, "syslog:", 7) == 0)
            options_source_reject(source, at,
                                  "%s has an invalid value: '%s' (a path, /dev/stdout, "
                                  "/dev/stderr, off)",
                                  at->name, at->text);
        break;
    case OPTION_TEXT:
    case OPTION_LIST:
    case OPTION_LISTEN:
    case OPTION_UNUSED: break;
    }
}

/* ------------------------------------------------------------------------ keys that go together */
static bool is_inline(const char *certificate)
{
    /* A PEM text, or its base64 form: "-----BEGIN" encodes to this. */
    return strstr(certificate, "-----BEGIN") != NULL ||
           strncmp(certificate, "LS0tLS1CRUdJTi", 14) == 0;
}

/* Returns the number of entries. */
static size_t check_files(struct options_source *source, const char *name)
{
    const struct options_setting *at = options_source_find(source, name);
    char **list = options_value_list(at == NULL ? NULL : at->text);
    size_t count = 0;
    for (; list != NULL && list[count] != NULL; count++)
        if (!is_inline(list[count]) && strcmp(list[count], "system") != 0 &&
            access(list[count], R_OK) != 0)
            options_source_reject(source, at, "%s: no such file at %s, or it cannot be read", name,
                                  list[count]);
    source->is_out_of_memory |= list == NULL;
    options_value_list_free(list);
    return count;
}

static void check_pair(struct options_source *source, const char *cert, const char *key)
{
    size_t certs = check_files(source, cert);
    size_t keys = check_files(source, key);
    if (certs > 0 && keys == 0)
        options_source_fail(source, "%s must be specified", key);
    else if (keys > 0 && certs == 0)
        options_source_fail(source, "%s must be specified", cert);
    else if (certs != keys)
        options_source_fail(source, "%s and %s must have the same number of entries: %zu and %zu",
                            cert, key, certs, keys);
}

static bool is_ip_or_block(char *text)
{
    struct in6_addr address;
    char *slash = strchr(text, '/');
    uint64_t bits = 0;
    if (slash != NULL) {
        *slash = '\0';
        if (!slice_to_u64(slice_of(slash + 1), &bits))
            return false;
    }
    if (inet_pton(AF_INET, text, &address) == 1)
        return bits <= 32;
    return inet_pton(AF_INET6, text, &address) == 1 && bits <= 128;
}

static void check_trusted_ips(struct options_source *source)
{
    const struct options_setting *at = options_source_find(source, "trusted_ips");
    char **list = options_value_list(at == NULL ? NULL : at->text);
    for (char **item = list; item != NULL && *item != NULL; item++) {
        char *copy = strdup(*item);
        if (copy != NULL && strcmp(copy, "unix:") != 0 && !is_ip_or_block(copy))
            options_source_reject(
                source, at, "trusted_ips: invalid entry '%s' (an IP address, a CIDR block, unix:)",
                *item);
        source->is_out_of_memory |= copy == NULL;
        free(copy);
    }
    source->is_out_of_memory |= list == NULL;
    options_value_list_free(list);
}

static void check_node_id(struct options_source *source)
{
    const struct options_setting *at = options_source_find(source, "node_id");
    if (at == NULL || at->text == NULL)
        return;
    bool is_uuid = strlen(at->text) == 36;
    for (size_t i = 0; is_uuid && i < 36; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        is_uuid =
            is_dash ? at->text[i] == '-' : strchr("0123456789abcdefABCDEF", at->text[i]) != NULL;
    }
    if (!is_uuid)
        options_source_reject(source, at, "node_id must be a valid UUID: '%s'", at->text);
}

/* Values of Kong that would be served wrongly rather than not at all. */
static void check_available(struct options_source *source, const char *name, const char *refused,
                            const char *accepted)
{
    const struct options_setting *at = options_source_find(source, name);
    if (at != NULL && at->text != NULL && options_value_choice(at->text, refused, NULL))
        options_source_reject(source, at, "%s: '%s' is not available in Sluice %s (%s)", name,
                              at->text, SLUICE_VERSION, accepted);
}

void options_check(struct options_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct options_setting *at = source->settings[i];
        if (at->key != NULL && at->text != NULL)
            check_setting(source, at);
    }
    check_pair(source, "ssl_cert", "ssl_cert_key");
    check_pair(source, "admin_ssl_cert", "admin_ssl_cert_key");
    check_pair(source, "status_ssl_cert", "status_ssl_cert_key");
    check_pair(source, "client_ssl_cert", "client_ssl_cert_key");
    (void)check_files(source, "lua_ssl_trusted_certificate");
    const char *database = options_source_text(source, "database");
    if (database != NULL && strcmp(database, "off") == 0)
        (void)check_files(source, "declarative_config");
    check_trusted_ips(source);
    check_node_id(source);
    check_available(source, "role", "control_plane, data_plane", "traditional");
    check_available(source, "router_flavor", "expressions", "traditional, traditional_compatible");
}
