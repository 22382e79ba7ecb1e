/* SPDX-License-Identifier: Apache-2.0 */
/* config.c -- shows and replaces the declarative configuration (reference/admin-api.md section 10).
 */
#include "admin/config.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "admin/call.h"
#include "admin/errors.h"
#include "admin/lookup.h"
#include "admin/server.h"
#include "base/buffer.h"
#include "base/log.h"
#include "config/declarative.h"
#include "config/schema.h"
#include "config/store.h"

enum { MAX_YAML_BYTES = 256 << 20 };

/* ------------------------------------------------------------------------------------------ rows
 */

struct collector {
    json_t *rows;
    const struct schema *schema;
    bool has_failed;
};

/* As a declarative document has it: no nulls, foreign keys as ids. */
static bool collect(void *context, json_t *row)
{
    struct collector *collector = context;
    json_t *entry = json_object();
    for (void *at = json_object_iter(row); at != NULL && entry != NULL;
         at = json_object_iter_next(row, at)) {
        const char *name = json_object_iter_key(at);
        json_t *value = json_object_iter_value(at);
        const struct schema_field *field = schema_record_field(&collector->schema->record, name);
        if (field != NULL && field->type == SCHEMA_FOREIGN)
            value = json_object_get(value, "id");
        if (value != NULL && !json_is_null(value) && json_object_set(entry, name, value) != 0)
            collector->has_failed = true;
    }
    if (json_array_append_new(collector->rows, entry) != 0)
        collector->has_failed = true;
    return !collector->has_failed;
}

/* {"services": [rows], ...}, kinds without rows left out. NULL: failed. */
static json_t *read_all(struct store *store)
{
    json_t *all = json_object();
    for (const struct schema *const *s = schema_core(); all != NULL && *s != NULL; s++) {
        struct collector collector = {.rows = json_array(), .schema = *s};
        struct store_error error = {0};
        bool ok = collector.rows != NULL &&
                  store_each(store, *s, collect, &collector, &error) == STORE_OK &&
                  !collector.has_failed;
        store_error_clear(&error);
        if (ok && json_array_size(collector.rows) > 0)
            ok = json_object_set(all, (*s)->name, collector.rows) == 0;
        json_decref(collector.rows);
        if (!ok) {
            json_decref(all);
            all = NULL;
        }
    }
    return all;
}

/* ------------------------------------------------------------------------------------------ hash
 */

/* MD5 of the canonical text: what Kong uses here; it names a version, it protects nothing. */
static bool hash_json(const json_t *value, char hash[CONFIG_HASH_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    bool ok = text != NULL && EVP_Digest(text, strlen(text), digest, &length, EVP_md5(), NULL) == 1;
    for (unsigned i = 0; ok && i < length && 2 * i + 2 < CONFIG_HASH_BYTES; i++)
        snprintf(hash + (size_t)2 * i, 3, "%02x", digest[i]);
    free(text);
    return ok;
}

bool config_hash_store(struct store *store, char hash[CONFIG_HASH_BYTES])
{
    json_t *all = read_all(store);
    bool ok = all != NULL;
    memset(hash, '0', CONFIG_HASH_BYTES - 1);
    hash[CONFIG_HASH_BYTES - 1] = '\0';
    if (ok && json_object_size(all) > 0)
        ok = hash_json(all, hash);
    json_decref(all);
    return ok;
}

/* ------------------------------------------------------------------------------------------- GET
 */

static int on_yaml(void *context, unsigned char *bytes, size_t length)
{
    return buffer_append(context, slice_make((const char *)bytes, length), MAX_YAML_BYTES);
}

/* Text is quoted, so that nobody takes "on" or "1.0" for something else. */
static bool emit_scalar(yaml_emitter_t *emitter, const char *text, size_t length, bool is_text)
{
    yaml_event_t event;
    return yaml_scalar_event_initialize(
               &event, NULL, NULL, (const yaml_char_t *)text, (int)length, !is_text, is_text,
               is_text ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE) &&
           yaml_emitter_emit(emitter, &event);
}

static bool emit(yaml_emitter_t *emitter, json_t *value)
{
    yaml_event_t event;
    char *text = NULL;
    bool ok = true;
    if (json_is_object(value)) {
        ok = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE) &&
             yaml_emitter_emit(emitter, &event);
        for (void *at = json_object_iter(value); ok && at != NULL;
             at = json_object_iter_next(value, at)) {
            const char *key = json_object_iter_key(at);
            ok = emit_scalar(emitter, key, strlen(key), true) &&
                 emit(emitter, json_object_iter_value(at));
        }
        return ok && yaml_mapping_end_event_initialize(&event) &&
               yaml_emitter_emit(emitter, &event);
    }
    if (json_is_array(value)) {
        ok = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_SEQUENCE_STYLE) &&
             yaml_emitter_emit(emitter, &event);
        for (size_t i = 0; ok && i < json_array_size(value); i++)
            ok = emit(emitter, json_array_get(value, i));
        return ok && yaml_sequence_end_event_initialize(&event) &&
               yaml_emitter_emit(emitter, &event);
    }
    if (json_is_string(value))
        return emit_scalar(emitter, json_string_value(value), json_string_length(value), true);
    text = json_dumps(value, JSON_ENCODE_ANY);
    ok = text != NULL && emit_scalar(emitter, text, strlen(text), false);
    free(text);
    return ok;
}

/* `document` as YAML; false: no memory. */
static bool write_yaml(json_t *document, struct buffer *out)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    if (!yaml_emitter_initialize(&emitter))
        return false;
    yaml_emitter_set_output(&emitter, on_yaml, out);
    yaml_emitter_set_unicode(&emitter, 1);
    bool ok = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
              yaml_emitter_emit(&emitter, &event) &&
              yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
              yaml_emitter_emit(&emitter, &event) && emit(&emitter, document) &&
              yaml_document_end_event_initialize(&event, 1) &&
              yaml_emitter_emit(&emitter, &event) && yaml_stream_end_event_initialize(&event) &&
              yaml_emitter_emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    return ok;
}

static void show(struct call *call)
{
    json_t *document = json_pack("{s:s, s:b}", "_format_version", "3.0", "_transform", 0);
    json_t *all = read_all(call->config->store);
    struct buffer text = {0};
    if (document == NULL || all == NULL || json_object_update(document, all) != 0 ||
        !write_yaml(document, &text))
        call_unexpected(call);
    else
        call_json(call, 200, json_pack("{s:s%}", "config", buffer_head(&text), buffer_len(&text)));
    buffer_clear(&text);
    json_decref(all);
    json_decref(document);
}

/* ------------------------------------------------------------------------------------------ POST
 */

static bool is_yaml(const struct call *call)
{
    return call->content_type.len > 0 &&
           memmem(call->content_type.ptr, call->content_type.len, "yaml", 4) != NULL;
}

/* The document in the body: JSON as it is, or text in the field `config`, or YAML. NULL: answered.
 */
static json_t *read_document(struct call *call)
{
    json_t *config = json_object_get(call->args, "config");
    struct slice text = {NULL, 0};
    if (json_is_string(config))
        text = slice_make(json_string_value(config), json_string_length(config));
    else if (json_object_size(call->args) > 0)
        return json_incref(call->args);
    else if (is_yaml(call))
        text = call->raw_body;
    json_t *document = NULL;
    char *error = NULL;
    if (text.len == 0) {
        call_message(call, 400, "expected a declarative configuration");
        return NULL;
    }
    switch (declarative_decode(text, &document, &error)) {
    case DECLARATIVE_OK: return document;
    case DECLARATIVE_UNREADABLE:
    case DECLARATIVE_INVALID: errors_declarative(call, json_pack("{s:s*}", "error", error)); break;
    case DECLARATIVE_NO_MEMORY: call_unexpected(call); break;
    }
    free(error);
    return NULL;
}

/* {"services": {id: row}, ...}, kinds without rows left out. */
static json_t *by_id(const json_t *entities)
{
    json_t *kinds = json_object();
    for (const struct schema *const *s = schema_core(); kinds != NULL && *s != NULL; s++) {
        const json_t *rows = json_object_get(entities, (*s)->name);
        json_t *map = json_array_size(rows) == 0 ? NULL : json_object();
        for (size_t i = 0; map != NULL && i < json_array_size(rows); i++) {
            json_t *row = json_array_get(rows, i);
            (void)json_object_set(map, json_string_value(json_object_get(row, "id")), row);
        }
        if (map != NULL)
            (void)json_object_set_new(kinds, (*s)->name, map);
    }
    return kinds;
}

static void replace(struct call *call, const json_t *entities, const char hash[CONFIG_HASH_BYTES])
{
    const struct admin_config *config = call->config;
    struct store_error error = {0};
    enum store_result result = store_replace_all(config->store, entities, &error);
    if (result != STORE_OK) {
        errors_store(call, schema_core()[0], ERRORS_UPSERT, result, &error, NULL, NULL);
        return;
    }
    store_error_clear(&error);
    if (!config->on_replace(config->context)) {
        log_write(config->error_log, LOG_LEVEL_ERROR,
                  "admin: the declarative configuration is stored, but the gateway could not take "
                  "it over");
        call_unexpected(call);
        return;
    }
    memcpy(admin_server_config_hash(call->server), hash, CONFIG_HASH_BYTES);
    call_json(call, 201, by_id(entities));
}

static bool is_flag(struct call *call, const char *name)
{
    const char *value = json_string_value(call_query(call, name));
    return value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

static void load(struct call *call)
{
    char hash[CONFIG_HASH_BYTES] = "";
    json_t *document = read_document(call), *entities = NULL, *errors = NULL;
    if (document == NULL)
        return;
    if (!hash_json(document, hash)) {
        call_unexpected(call);
    } else if (is_flag(call, "check_hash") &&
               strcmp(hash, admin_server_config_hash(call->server)) == 0) {
        call_empty(call, 304);
    } else {
        switch (declarative_check(document, lookup_plugin_schema, call, &entities, &errors)) {
        case DECLARATIVE_OK: replace(call, entities, hash); break;
        case DECLARATIVE_UNREADABLE:
        case DECLARATIVE_INVALID: errors_declarative(call, json_incref(errors)); break;
        case DECLARATIVE_NO_MEMORY: call_unexpected(call); break;
        }
    }
    json_decref(errors);
    json_decref(entities);
    json_decref(document);
}

void config_run(struct call *call)
{
    if (strcmp(store_kind(call->config->store), "off") != 0)
        call_message(
            call, 400,
            "this endpoint is only available when Kong is configured to not use a database");
    else if (call->method == CALL_GET)
        show(call);
    else
        load(call);
}
