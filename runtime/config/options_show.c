/* SPDX-License-Identifier: Apache-2.0 */
/* options_show.c -- see options_show.h (reference/admin-api.md section 10, `/`). */
#include "config/options_show.h"

#include <math.h>
#include <string.h>

#include "config/options.h"
#include "config/options_source.h"
#include "config/options_table.h"
#include "config/options_value.h"

static json_t *show_list(const char *text)
{
    char **list = options_value_list(text);
    json_t *array = list == NULL ? NULL : json_array();
    for (char **at = list; array != NULL && *at != NULL; at++) {
        if (json_array_append_new(array, json_string(*at)) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    options_value_list_free(list);
    return array;
}

static json_t *show_number(const char *text)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    double value = 0;
    (void)options_value_number(text, &value); /* was checked */
    bool is_integer = value == floor(value) && fabs(value) < exact;
    return is_integer ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *show(const struct options_setting *at)
{
    bool is_on = false;
    enum option_kind kind = at->key == NULL ? OPTION_TEXT : at->key->kind;
    if ((at->key != NULL && at->key->is_secret) || at->reference != NULL)
        return json_string("******");
    switch (kind) {
    case OPTION_BOOLEAN: (void)options_value_boolean(at->text, &is_on); return json_boolean(is_on);
    case OPTION_SWITCH:
        (void)options_value_boolean(at->text, &is_on);
        return json_string(is_on ? "on" : "off");
    case OPTION_NUMBER: return show_number(at->text);
    case OPTION_CHOICES:
    case OPTION_LIST:
    case OPTION_LISTEN: return show_list(at->text);
    case OPTION_TEXT:
    case OPTION_COUNT:
    case OPTION_CHOICE:
    case OPTION_SIZE:
    case OPTION_TIME:
    case OPTION_LOG:
    case OPTION_UNUSED: break;
    }
    return json_string(at->text);
}

static json_t *show_listener(const struct listen_address *at, const char *text)
{
    return json_pack("{s:s, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:s}", "ip", at->host, "port",
                     at->port, "ssl", at->is_ssl, "http2", at->is_http2, "proxy_protocol",
                     at->is_proxy_protocol, "reuseport", at->is_reuseport, "deferred",
                     at->is_deferred, "bind", 0, "backlog", at->backlog, "listener", text);
}

/* What tools read instead of parsing admin_listen: one object per address. */
static bool add_listeners(json_t *to, const char *name, const struct listen_list *list,
                          const char *text)
{
    char **texts = options_value_list(text);
    json_t *array = texts == NULL ? NULL : json_array();
    bool is_ok = array != NULL;
    for (size_t i = 0; is_ok && i < list->count && texts[i] != NULL; i++)
        is_ok = json_array_append_new(array, show_listener(&list->items[i], texts[i])) == 0;
    options_value_list_free(texts);
    if (is_ok)
        return json_object_set_new(to, name, array) == 0;
    json_decref(array);
    return false;
}

static bool add_derived(struct options *options, const struct options_source *source)
{
    json_t *to = options->effective;
    json_t *loaded = json_object();
    bool is_ok = loaded != NULL;
    for (char **at = options->plugins; is_ok && *at != NULL; at++)
        is_ok = json_object_set_new(loaded, *at, json_true()) == 0;
    /* json_object_set_new() takes the reference even when it fails, and refuses NULL. */
    is_ok = json_object_set_new(to, "loaded_plugins", loaded) == 0 && is_ok;
    return is_ok && json_object_set_new(to, "prefix", json_string(options->prefix)) == 0 &&
           add_listeners(to, "proxy_listeners", &options->proxy_listen,
                         options_source_text(source, "proxy_listen")) &&
           add_listeners(to, "admin_listeners", &options->admin_listen,
                         options_source_text(source, "admin_listen")) &&
           add_listeners(to, "status_listeners", &options->status_listen,
                         options_source_text(source, "status_listen")) &&
           json_object_set_new(to, "admin_gui_listeners", json_array()) == 0;
}

/* Kong's unset lists are empty tables, other unset keys are absent. */
static bool add_unset(json_t *effective, const struct options_setting *at)
{
    bool is_list =
        at->key != NULL && (at->key->kind == OPTION_LIST || at->key->kind == OPTION_CHOICES);
    return !is_list || json_object_set_new(effective, at->name, json_array()) == 0;
}

static bool add(struct options *options, const struct options_setting *at)
{
    if (at->origin != NULL &&
        json_object_set_new(options->origins, at->name, json_string(at->origin)) != 0)
        return false;
    if (at->text == NULL)
        return add_unset(options->effective, at);
    if (at->reference != NULL &&
        json_object_set_new(options->references, at->name, json_string(at->reference)) != 0)
        return false;
    json_t *value = show(at);
    return value != NULL && json_object_set_new(options->effective, at->name, value) == 0 &&
           json_object_set_new(options->raw, at->name, json_string(at->text)) == 0;
}

bool options_show(struct options *options, const struct options_source *source)
{
    options->effective = json_object();
    options->raw = json_object();
    options->references = json_object();
    options->origins = json_object();
    bool is_ok = options->effective != NULL && options->raw != NULL &&
                 options->references != NULL && options->origins != NULL;
    for (size_t i = 0; is_ok && i < source->count; i++)
        is_ok = add(options, source->settings[i]);
    return is_ok &&
           json_object_set_new(options->raw, "prefix", json_string(options->prefix)) == 0 &&
           add_derived(options, source);
}
