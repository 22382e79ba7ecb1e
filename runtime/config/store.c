/* SPDX-License-Identifier: Apache-2.0 */
/* store.c -- opens the store that the options name and hands every call to it. */
#include "config/store.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "config/store_ops.h"

void store_error_clear(struct store_error *error)
{
    json_decref(error->fields);
    *error = (struct store_error){0};
}

enum store_result store_error_set(struct store_error *error, enum store_result result,
                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    for (char *c = error->text; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    return result;
}

enum store_result store_error_memory(struct store_error *error)
{
    return store_error_set(error, STORE_FAILED, "out of memory");
}

struct store *store_open(const struct options *options, struct log *log, struct store_error *error)
{
    const char *kind = options->database == NULL ? "(not set)" : options->database;
    if (strcmp(kind, "sqlite") == 0)
        return store_sqlite_open(options, log, error);
    if (strcmp(kind, "postgres") == 0)
        return store_postgres_open(options, log, error);
    if (strcmp(kind, "off") == 0)
        return store_memory_open(log, error);
    store_error_set(error, STORE_FAILED,
                    "database has an invalid value: '%s' (sqlite, postgres, off)", kind);
    return NULL;
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->ops->close(store);
}

const char *store_kind(const struct store *store)
{
    return store->ops->kind;
}

enum store_result store_state_get(struct store *store, enum store_state *state,
                                  struct store_error *error)
{
    return store->ops->state_get(store, state, error);
}

enum store_result store_migrate(struct store *store, int64_t lock_timeout_ms, int *applied,
                                struct store_error *error)
{
    *applied = 0;
    return store->ops->migrate(store, lock_timeout_ms, applied, error);
}

enum store_result store_reset(struct store *store, struct store_error *error)
{
    return store->ops->reset(store, error);
}

enum store_result store_migration_status(struct store *store, json_t **status,
                                         struct store_error *error)
{
    *status = NULL;
    return store->ops->status(store, status, error);
}

enum store_result store_select(struct store *store, const struct schema *schema, const char *id,
                               json_t **row, struct store_error *error)
{
    return store_select_by(store, schema, "id", id, row, error);
}

enum store_result store_select_by(struct store *store, const struct schema *schema,
                                  const char *field, const char *value, json_t **row,
                                  struct store_error *error)
{
    *row = NULL;
    return store->ops->select_by(store, schema, field, value, row, error);
}

enum store_result store_list(struct store *store, const struct schema *schema,
                             const struct store_page *page, json_t **rows, bool *has_more,
                             struct store_error *error)
{
    *rows = NULL;
    *has_more = false;
    if (page->limit < 1 || page->limit > 1000)
        return store_error_set(error, STORE_FAILED, "page of %zu rows asked for, 1 to 1000 allowed",
                               page->limit);
    return store->ops->list(store, schema, page, rows, has_more, error);
}

enum store_result store_each(struct store *store, const struct schema *schema,
                             bool (*visit)(void *context, json_t *row), void *context,
                             struct store_error *error)
{
    return store->ops->each(store, schema, visit, context, error);
}

enum store_result store_read_begin(struct store *store, struct store_error *error)
{
    return store->ops->read_begin == NULL ? STORE_OK : store->ops->read_begin(store, error);
}

void store_read_end(struct store *store)
{
    if (store->ops->read_end != NULL)
        store->ops->read_end(store);
}

static enum store_result read_only(const struct store *store, struct store_error *error)
{
    return store_error_set(error, STORE_READ_ONLY,
                           "the store (database = %s) takes no writes: the configuration is "
                           "declarative and replaced as a whole",
                           store_kind(store));
}

static enum store_result write_row(struct store *store, const struct schema *schema,
                                   enum store_write kind, const json_t *row,
                                   struct store_error *error)
{
    if (store->ops->write == NULL)
        return read_only(store, error);
    return store->ops->write(store, schema, kind, row, error);
}

enum store_result store_insert(struct store *store, const struct schema *schema, const json_t *row,
                               struct store_error *error)
{
    return write_row(store, schema, STORE_INSERT, row, error);
}

enum store_result store_update(struct store *store, const struct schema *schema, const json_t *row,
                               struct store_error *error)
{
    return write_row(store, schema, STORE_UPDATE, row, error);
}

enum store_result store_upsert(struct store *store, const struct schema *schema, const json_t *row,
                               struct store_error *error)
{
    return write_row(store, schema, STORE_UPSERT, row, error);
}

enum store_result store_delete(struct store *store, const struct schema *schema, const char *id,
                               struct store_error *error)
{
    if (store->ops->remove == NULL)
        return read_only(store, error);
    return store->ops->remove(store, schema, id, error);
}

enum store_result store_replace_all(struct store *store, const json_t *entities,
                                    struct store_error *error)
{
    if (store->ops->replace_all == NULL)
        return store_error_set(error, STORE_FAILED,
                               "the store (database = %s) is written row by row, not as a whole",
                               store_kind(store));
    return store->ops->replace_all(store, entities, error);
}

enum store_result store_changes_since(struct store *store, int64_t seq, json_t **rows,
                                      int64_t *latest, struct store_error *error)
{
    *rows = NULL;
    *latest = 0;
    return store->ops->changes_since(store, seq, rows, latest, error);
}
