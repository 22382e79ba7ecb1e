/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c -- the list of the core entities, look-ups in descriptions, and identifiers.
 *
 * The work is in the files beside: schema_process.c (stored form), schema_validate.c and
 * schema_constraints.c (what is wrong), schema_checks.c (over several fields), schema_errors.c,
 * schema_merge.c, schema_form.c, schema_describe.c. */
#include "config/schema_parts.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "config/entities.h"

/* The one static of this module, see schema_init() in the header: built once before any thread
 * starts and read-only until the last one has ended. */
static struct {
    bool is_built;
    struct arena arena;
    const struct schema *list[ENTITIES_COUNT + 1];
} core;

bool schema_init(void)
{
    if (core.is_built)
        return true;
    arena_init(&core.arena, NULL);
    if (!entities_build(&core.arena, core.list)) {
        arena_clear(&core.arena);
        core.list[0] = NULL;
        return false;
    }
    core.is_built = true;
    return true;
}

void schema_shutdown(void)
{
    if (core.is_built)
        arena_clear(&core.arena);
    core.is_built = false;
    core.list[0] = NULL;
}

const struct schema *const *schema_core(void)
{
    if (!schema_init())
        core.list[0] = NULL;
    return core.list;
}

const struct schema *schema_find(const char *name)
{
    for (const struct schema *const *at = schema_core(); *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

const struct schema_field *schema_record_field(const struct schema_record *record, const char *name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

size_t schema_unique_fields(const struct schema *schema, const struct schema_field **out,
                            size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < schema->record.field_count && count < max; i++)
        if (schema->record.fields[i].unique)
            out[count++] = &schema->record.fields[i];
    return count;
}

char *schema_validate_field(const struct schema *schema, const char *name, const json_t *value)
{
    const struct schema_field *field = schema_record_field(&schema->record, name);
    if (field == NULL)
        return strdup("unknown field");
    struct schema_errors errors = {.fields = json_object()};
    struct schema_checker checker = {.errors = &errors};
    struct schema_place place;
    schema_errors_enter(&errors, &place, name, 0);
    schema_validate_value(&checker, field, true, value);
    schema_errors_leave(&errors);
    char *message = NULL;
    if (errors.count > 0) {
        struct schema_text text = {0};
        const json_t *problem = json_object_get(errors.fields, name);
        if (problem != NULL)
            schema_text_add_value(&text, problem);
        message = schema_text_take(&text);
        if (message == NULL)
            message = strdup("out of memory");
    }
    json_decref(errors.fields);
    return message;
}

void schema_check_immutable(const struct schema *schema, const json_t *stored, const json_t *row,
                            struct schema_errors *errors)
{
    for (size_t i = 0; i < schema->record.field_count; i++) {
        const struct schema_field *field = &schema->record.fields[i];
        const json_t *old = json_object_get(stored, field->name);
        if (field->immutable && old != NULL && !json_is_null(old) &&
            json_equal(old, json_object_get(row, field->name)) == 0)
            schema_errors_add(errors, field->name, "immutable field cannot be updated");
    }
}

/* --------------------------------------------------------------------------------- identifiers */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = slice_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash_at(size_t index)
{
    return index == 8 || index == 13 || index == 18 || index == 23;
}

bool schema_is_uuid(struct slice text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < 36; i++)
        if (is_dash_at(i) ? text.ptr[i] != '-' : hex_value(text.ptr[i]) < 0)
            return false;
    return true;
}

/* Sets version and variant and writes the text. */
static void uuid_text(unsigned char bytes[16], unsigned version, char out[37])
{
    size_t length = 0;
    bytes[6] = (unsigned char)((bytes[6] & 0x0fu) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3fu) | 0x80u);
    for (size_t i = 0; i < 16; i++) {
        if (is_dash_at(length))
            out[length++] = '-';
        out[length++] = "0123456789abcdef"[bytes[i] >> 4];
        out[length++] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[length] = '\0';
}

void schema_uuid_random(char out[37])
{
    unsigned char bytes[16];
    while (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        continue; /* 16 bytes come whole; only a signal can interrupt */
    uuid_text(bytes, 4, out);
}

static bool sha1(const unsigned char space[16], struct slice name, unsigned char digest[20])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_done = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
                   EVP_DigestUpdate(context, space, 16) == 1 &&
                   EVP_DigestUpdate(context, name.ptr, name.len) == 1 &&
                   EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return is_done;
}

bool schema_uuid_named(const char *space, struct slice name, char out[37])
{
    unsigned char bytes[16], digest[20];
    size_t nibbles = 0;
    if (!schema_is_uuid(slice_of(space)))
        return false;
    for (size_t i = 0; i < 36; i++) {
        if (is_dash_at(i))
            continue;
        unsigned value = (unsigned)hex_value(space[i]);
        unsigned char *byte = &bytes[nibbles / 2];
        *byte = (unsigned char)(nibbles % 2 == 0 ? value << 4 : *byte | value);
        nibbles++;
    }
    if (!sha1(bytes, name, digest))
        return false;
    uuid_text(digest, 5, out);
    return true;
}
