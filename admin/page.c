/* SPDX-License-Identifier: Apache-2.0 */
/* page.c -- one page of a list, in ascending order of id.
 *
 * An offset token is the base64 form of a JSON array with the last id of the page before: nothing
 * is kept between pages, and rows that come or go meanwhile do not shift the rest. */
#include "admin/page.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "admin/call.h"
#include "config/schema.h"
#include "config/store.h"
#include "admin/errors.h"
#include "admin/lookup.h"
#include "admin/routes.h"
#include "admin/server.h"

enum { MAX_TOKEN_BYTES = 4096, MAX_PATH_BYTES = 16384 };

bool page_size(struct call *call, size_t *size)
{
    const json_t *given = call_query(call, "size");
    *size = PAGE_DEFAULT_SIZE;
    if (given == NULL)
        return true;
    const char *text = json_string_value(given);
    char *end = NULL;
    double number = text == NULL ? 0 : strtod(text, &end);
    if (text == NULL || end == text || *end != '\0')
        errors_size(call, "size must be a number");
    else if (!(number >= 1 && number <= PAGE_MAX_SIZE) || (double)(int)number != number)
        errors_size(call, "size must be an integer between 1 and 1000");
    else
        *size = (size_t)number;
    return !call_is_answered(call);
}

bool page_offset(struct call *call, json_t **value)
{
    const char *token = json_string_value(call_query(call, "offset"));
    *value = NULL;
    if (token == NULL)
        return true;
    size_t length = strlen(token);
    unsigned char plain[MAX_TOKEN_BYTES];
    int used = -1;
    if (length > 0 && length % 4 == 0 && length < sizeof(plain) &&
        token[strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] ==
            '\0')
        used = EVP_DecodeBlock(plain, (const unsigned char *)token, (int)length);
    if (used < 0) {
        errors_offset(call, token, "bad base64 encoding");
        return false;
    }
    /* EVP_DecodeBlock counts the padding in. */
    size_t bytes = (size_t)used - (token[length - 1] == '=') - (token[length - 2] == '=');
    json_t *array = json_loadb((const char *)plain, bytes, 0, NULL);
    json_t *first = json_array_get(array, 0);
    *value = json_incref(first);
    json_decref(array);
    if (*value == NULL)
        errors_offset(call, token, "bad json encoding");
    return *value != NULL;
}

/* Heap; NULL: no memory. Takes over `last`. */
static char *make_token(json_t *last)
{
    json_t *array = json_pack("[o]", last);
    char *plain = array == NULL ? NULL : json_dumps(array, JSON_COMPACT);
    size_t length = plain == NULL ? 0 : strlen(plain);
    char *token = plain == NULL ? NULL : malloc(4 * (length / 3 + 1) + 1);
    if (token != NULL)
        EVP_EncodeBlock((unsigned char *)token, (const unsigned char *)plain, (int)length);
    free(plain);
    json_decref(array);
    return token;
}

/* Appends `text` percent-encoded: all but unreserved characters (RFC 3986 section 2.3). */
static bool escape(struct buffer *out, const char *text)
{
    bool ok = true;
    for (; ok && *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char code[4];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || strchr("-_.~", c) != NULL;
        snprintf(code, sizeof(code), is_plain ? "%c" : "%%%02X", c);
        ok = buffer_append(out, slice_of(code), MAX_PATH_BYTES);
    }
    return ok;
}

void page_answer(struct call *call, json_t *rows, json_t *last, const char *path,
                 const char *suffix)
{
    json_t *body = json_pack("{s:o, s:n}", "data", rows, "next");
    char *token = last == NULL ? NULL : make_token(last);
    struct buffer next = {0};
    bool ok = body != NULL && (last == NULL || token != NULL);
    if (ok && token != NULL) {
        ok = buffer_append(&next, slice_of(path), MAX_PATH_BYTES) &&
             buffer_append(&next, SLICE("?offset="), MAX_PATH_BYTES) && escape(&next, token) &&
             buffer_append(&next, slice_of(suffix), MAX_PATH_BYTES) &&
             json_object_set_new(body, "next",
                                 json_stringn(buffer_head(&next), buffer_len(&next))) == 0 &&
             json_object_set_new(body, "offset", json_string(token)) == 0;
    }
    if (!ok) {
        json_decref(body);
        body = NULL;
    }
    buffer_clear(&next);
    free(token);
    call_json(call, 200, body);
}

/* --------------------------------------------------------------------------------------- filters
 */

struct tag_filter {
    char *text; /* cut into the tags */
    const char *tags[PAGE_MAX_TAGS + 1];
    bool is_any;
};

bool page_is_tag(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f || *c == ',' || *c == '/')
            return false;
    }
    return *text != '\0';
}

/* ?tags=: error code 11. filter->tags[0] is NULL without a filter. */
static bool parse_tags(struct call *call, const struct schema *schema, struct tag_filter *filter)
{
    const json_t *given = call_query(call, "tags");
    if (given == NULL || !schema->is_taggable)
        return true;
    if (!json_is_string(given)) {
        errors_option(call, "tags",
                      json_is_null(given) ? "cannot be null" : "invalid filter syntax");
        return false;
    }
    filter->text = strdup(json_string_value(given));
    if (filter->text == NULL) {
        call_unexpected(call);
        return false;
    }
    filter->is_any = strchr(filter->text, '/') != NULL;
    size_t count = 0;
    char *rest = filter->text, *tag;
    while ((tag = strsep(&rest, filter->is_any ? "/" : ",")) != NULL) {
        if (!page_is_tag(tag)) {
            errors_option(call, "tags", "invalid filter syntax");
            return false;
        }
        if (count == PAGE_MAX_TAGS) {
            errors_option(call, "tags", "cannot query more than 5 tags");
            return false;
        }
        filter->tags[count++] = tag;
    }
    return true;
}

/* "&tags=...&size=..." as the request had them. */
static bool make_suffix(struct call *call, const struct schema *schema, struct buffer *out)
{
    const char *tags = schema->is_taggable ? json_string_value(call_query(call, "tags")) : NULL;
    const char *size = json_string_value(call_query(call, "size"));
    return (tags == NULL ||
            (buffer_append(out, SLICE("&tags="), MAX_PATH_BYTES) && escape(out, tags))) &&
           (size == NULL ||
            (buffer_append(out, SLICE("&size="), MAX_PATH_BYTES) && escape(out, size))) &&
           buffer_append(out, slice_make("", 1), MAX_PATH_BYTES);
}

/* Reads the page that `page` and the query describe and answers with it. */
static void answer_rows(struct call *call, const struct schema *schema, struct store_page *page,
                        const char *path, const char *suffix)
{
    json_t *rows = NULL;
    bool has_more = false;
    struct store_error error = {0};
    enum store_result result =
        store_list(call->config->store, schema, page, &rows, &has_more, &error);
    if (result != STORE_OK) {
        errors_store(call, schema, ERRORS_UPDATE, result, &error, NULL, NULL);
        return;
    }
    store_error_clear(&error);
    size_t count = json_array_size(rows);
    for (size_t i = 0; i < count; i++) {
        json_t *shown = lookup_present(call, schema, json_incref(json_array_get(rows, i)));
        if (json_array_set_new(rows, i, shown) != 0) {
            json_decref(rows);
            call_unexpected(call);
            return;
        }
    }
    json_t *last = NULL;
    if (has_more && count > 0)
        last = json_incref(json_object_get(json_array_get(rows, count - 1), "id"));
    page_answer(call, rows, last, path, suffix);
}

static void list(struct call *call, const struct schema *schema, struct store_page *page,
                 const char *path, const char *suffix)
{
    struct tag_filter filter = {0};
    json_t *offset = NULL;
    if (page_size(call, &page->limit) && page_offset(call, &offset) &&
        parse_tags(call, schema, &filter)) {
        page->after_id = json_string_value(offset);
        page->tags = filter.tags[0] == NULL ? NULL : filter.tags;
        page->is_any_tag = filter.is_any;
        if (offset != NULL && (page->after_id == NULL || !schema_is_uuid(slice_of(page->after_id))))
            errors_offset(call, json_string_value(call_query(call, "offset")), "bad json encoding");
        else
            answer_rows(call, schema, page, path, suffix);
    }
    page->after_id = NULL; /* what they point to ends here */
    page->tags = NULL;
    free(filter.text);
    json_decref(offset);
}

void page_list(struct call *call, const struct schema *schema)
{
    struct store_page page = {0};
    struct buffer suffix = {0};
    char path[128];
    snprintf(path, sizeof(path), "/%s", schema->collection);
    if (make_suffix(call, schema, &suffix))
        list(call, schema, &page, path, buffer_head(&suffix));
    else
        call_unexpected(call);
    buffer_clear(&suffix);
}

void page_list_children(struct call *call, const struct schema *schema, const struct schema *parent,
                        const char *field, const char *parent_id)
{
    struct store_page page = {.foreign_field = field, .foreign_id = parent_id};
    struct buffer path = {0};
    const char *segment = schema->nested != NULL ? schema->nested : schema->collection;
    if (buffer_append(&path, SLICE("/"), MAX_PATH_BYTES) &&
        buffer_append(&path, slice_of(parent->collection), MAX_PATH_BYTES) &&
        buffer_append(&path, SLICE("/"), MAX_PATH_BYTES) && escape(&path, call->params[0]) &&
        buffer_append(&path, SLICE("/"), MAX_PATH_BYTES) &&
        buffer_append(&path, slice_of(segment), MAX_PATH_BYTES) &&
        buffer_append(&path, slice_make("", 1), MAX_PATH_BYTES))
        list(call, schema, &page, buffer_head(&path), "");
    else
        call_unexpected(call);
    buffer_clear(&path);
}
