/* SPDX-License-Identifier: Apache-2.0 */
/* store_memory.c -- the store of database = off: what the declarative configuration said, kept as
 * JSON and replaced as a whole. Rows are sorted by id once, when they come in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "config/schema.h"
#include "config/store_ops.h"

struct memory_store {
    struct store base;
    json_t *tables;       /* {"services": [rows in ascending order of id]} */
    int64_t generation;   /* how often everything has been replaced */
    int64_t loaded_at_ms; /* the ttl of a row counts from here */
};

static struct memory_store *memory_of(struct store *store)
{
    return (struct memory_store *)store;
}

static const char *id_of(const json_t *row)
{
    return json_string_value(json_object_get(row, "id"));
}

static void memory_close(struct store *base)
{
    struct memory_store *store = memory_of(base);
    json_decref(store->tables);
    free(store);
}

/* ------------------------------------------------------------ reading */

static const json_t *rows_of(const struct memory_store *store, const struct schema *schema)
{
    return json_object_get(store->tables, schema->name);
}

/* The row as a reader may see it, shared with the store unless it has a ttl; new reference. NULL
 * and *is_expired: its ttl has run out; NULL otherwise: out of memory. */
static json_t *visible(const struct memory_store *store, const struct schema *schema, json_t *row,
                       bool *is_expired)
{
    *is_expired = false;
    const json_t *ttl = schema->has_ttl ? json_object_get(row, "ttl") : NULL;
    if (!json_is_number(ttl))
        return json_incref(row);
    double left_s =
        json_number_value(ttl) - (double)(clock_now_ms() - store->loaded_at_ms) / 1000.0;
    *is_expired = left_s <= 0;
    json_t *copy = *is_expired ? NULL : json_copy(row);
    if (copy != NULL &&
        json_object_set_new(copy, "ttl", json_integer((json_int_t)ceil(left_s))) != 0) {
        json_decref(copy);
        return NULL;
    }
    return copy;
}

static enum store_result memory_each(struct store *base, const struct schema *schema,
                                     store_visit visit, void *context, struct store_error *error)
{
    const json_t *rows = rows_of(memory_of(base), schema);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        bool is_expired;
        json_t *row = visible(memory_of(base), schema, json_array_get(rows, i), &is_expired);
        if (row == NULL && !is_expired)
            return store_error_memory(error);
        bool goes_on = is_expired || visit(context, row);
        json_decref(row);
        if (!goes_on)
            break;
    }
    return STORE_OK;
}

static bool has_text(const json_t *row, const char *field, const char *value)
{
    const char *text = json_string_value(json_object_get(row, field));
    if (text == NULL || value == NULL)
        return false;
    bool is_uuid = schema_is_uuid(slice_of(text)); /* compared without case */
    return is_uuid ? strcasecmp(text, value) == 0 : strcmp(text, value) == 0;
}

struct search {
    const char *field, *value;
    json_t *found;
    bool has_failed;
};

static bool keep_match(void *context, json_t *row)
{
    struct search *search = context;
    if (!has_text(row, search->field, search->value))
        return true;
    search->found = json_deep_copy(row); /* the reader may change it */
    search->has_failed = search->found == NULL;
    return false;
}

static enum store_result memory_select_by(struct store *base, const struct schema *schema,
                                          const char *field, const char *value, json_t **row,
                                          struct store_error *error)
{
    struct search search = {.field = field, .value = value};
    enum store_result result = memory_each(base, schema, keep_match, &search, error);
    if (result == STORE_OK && search.has_failed)
        result = store_error_memory(error);
    *row = search.found;
    return result == STORE_OK && search.found == NULL ? STORE_NOT_FOUND : result;
}

static bool has_tag(const json_t *row, const char *tag)
{
    const json_t *tags = json_object_get(row, "tags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *text = json_string_value(json_array_get(tags, i));
        if (text != NULL && strcmp(text, tag) == 0)
            return true;
    }
    return false;
}

static bool is_on_page(const json_t *row, const struct store_page *page)
{
    if (page->after_id != NULL && strcasecmp(id_of(row), page->after_id) <= 0)
        return false;
    if (page->foreign_field != NULL &&
        !has_text(json_object_get(row, page->foreign_field), "id", page->foreign_id))
        return false;
    if (page->tags == NULL || page->tags[0] == NULL)
        return true;
    for (const char *const *tag = page->tags; *tag != NULL; tag++)
        if (has_tag(row, *tag) == page->is_any_tag)
            return page->is_any_tag; /* any: one is enough; all: one missing is too many */
    return !page->is_any_tag;
}

struct page_reader {
    const struct store_page *page;
    json_t *rows;
    bool has_more, has_failed;
};

static bool add_to_page(void *context, json_t *row)
{
    struct page_reader *reader = context;
    if (!is_on_page(row, reader->page))
        return true;
    if (json_array_size(reader->rows) == reader->page->limit) {
        reader->has_more = true;
        return false;
    }
    reader->has_failed = json_array_append_new(reader->rows, json_deep_copy(row)) != 0;
    return !reader->has_failed;
}

static enum store_result memory_list(struct store *base, const struct schema *schema,
                                     const struct store_page *page, json_t **rows, bool *has_more,
                                     struct store_error *error)
{
    struct page_reader reader = {.page = page, .rows = json_array()};
    enum store_result result = reader.rows == NULL
                                   ? store_error_memory(error)
                                   : memory_each(base, schema, add_to_page, &reader, error);
    if (result == STORE_OK && reader.has_failed)
        result = store_error_memory(error);
    if (result != STORE_OK) {
        json_decref(reader.rows);
        return result;
    }
    *rows = reader.rows;
    *has_more = reader.has_more;
    return STORE_OK;
}

/* ------------------------------------------------------------ replacing */

static int by_id(const void *left, const void *right)
{
    return strcasecmp(id_of(*(json_t *const *)left), id_of(*(json_t *const *)right));
}

/* A new array with the rows in order. NULL: `error` says which row is wrong. */
static json_t *sorted(const char *entity, const json_t *rows, struct store_error *error)
{
    size_t count = json_array_size(rows);
    json_t **order = calloc(count + 1, sizeof(json_t *));
    json_t *result = json_array();
    if (order == NULL || result == NULL) {
        store_error_memory(error);
        goto fail;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = json_array_get(rows, i);
        if (id_of(order[i]) == NULL) {
            store_error_set(error, STORE_FAILED, "%s: row %zu has no id", entity, i + 1);
            goto fail;
        }
    }
    qsort(order, count, sizeof(json_t *), by_id);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_id(&order[i - 1], &order[i]) == 0) {
            store_error_set(error, STORE_FAILED, "%s: two rows have the id %s", entity,
                            id_of(order[i]));
            goto fail;
        }
        /* A copy: the store must not change when its caller goes on with the input. */
        if (json_array_append_new(result, json_deep_copy(order[i])) != 0) {
            store_error_memory(error);
            goto fail;
        }
    }
    free(order);
    return result;
fail:
    free(order);
    json_decref(result);
    return NULL;
}

static enum store_result memory_replace_all(struct store *base, const json_t *entities,
                                            struct store_error *error)
{
    struct memory_store *store = memory_of(base);
    json_t *tables = json_object();
    if (!json_is_object(entities) || tables == NULL) {
        json_decref(tables);
        return store_error_set(error, STORE_FAILED, "expected an object of entities by name");
    }
    for (const struct schema *const *schema = schema_core(); *schema != NULL; schema++) {
        const char *name = (*schema)->name;
        json_t *rows = sorted(name, json_object_get(entities, name), error);
        if (rows == NULL || json_object_set_new(tables, name, rows) != 0) {
            json_decref(tables);
            return STORE_FAILED;
        }
    }
    json_decref(store->tables);
    store->tables = tables;
    store->generation++;
    store->loaded_at_ms = clock_now_ms();
    return STORE_OK;
}

/* ------------------------------------------------------------ what is simple */

static enum store_result memory_state_get(struct store *base, enum store_state *state,
                                          struct store_error *error)
{
    (void)base;
    (void)error;
    *state = STORE_READY;
    return STORE_OK;
}

static enum store_result memory_migrate(struct store *base, int64_t lock_timeout_ms, int *applied,
                                        struct store_error *error)
{
    (void)base;
    (void)lock_timeout_ms;
    (void)error;
    *applied = 0;
    return STORE_OK;
}

static enum store_result memory_reset(struct store *base, struct store_error *error)
{
    (void)base;
    return store_error_set(error, STORE_READ_ONLY,
                           "database = off has no database that could be reset");
}

static enum store_result memory_status(struct store *base, json_t **status,
                                       struct store_error *error)
{
    (void)base;
    *status = json_pack("{s:[], s:[], s:[]}", "executed", "new", "missing");
    return *status == NULL ? store_error_memory(error) : STORE_OK;
}

/* There are no single changes here: either nothing has happened, or everything is new. */
static enum store_result memory_changes_since(struct store *base, int64_t seq, json_t **rows,
                                              int64_t *latest, struct store_error *error)
{
    *latest = memory_of(base)->generation;
    if (*latest != seq)
        return STORE_OK;
    *rows = json_array();
    return *rows == NULL ? store_error_memory(error) : STORE_OK;
}

static const struct store_ops memory_ops = {
    .kind = "off",
    .close = memory_close,
    .state_get = memory_state_get,
    .migrate = memory_migrate,
    .reset = memory_reset,
    .status = memory_status,
    .select_by = memory_select_by,
    .list = memory_list,
    .each = memory_each,
    .replace_all = memory_replace_all,
    .changes_since = memory_changes_since,
};

struct store *store_memory_open(struct log *log, struct store_error *error)
{
    struct memory_store *store = calloc(1, sizeof(*store));
    json_t *tables = json_object();
    if (store == NULL || tables == NULL) {
        store_error_memory(error);
        free(store);
        json_decref(tables);
        return NULL;
    }
    store->base = (struct store){.ops = &memory_ops, .log = log};
    store->tables = tables;
    return &store->base;
}
