/* SPDX-License-Identifier: Apache-2.0 */
/* store_sql.c -- store.h over a SQL driver: rows, errors, change log. The same for both databases.
 *
 * Constraints are the database's: nothing is looked up before a write. Only once a constraint has
 * been broken is it worked out which one, for the error that the Admin API shows. */
#include "config/store_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/migrations.h"
#include "config/schema.h"
#include "config/sql_column.h"
#include "config/sql_query.h"

enum { UUID_BYTES = 37 };

static struct sql_store *sql_of(struct store *store)
{
    return (struct sql_store *)store;
}

const char *store_sql_dialect_name(enum sql_dialect dialect)
{
    return dialect == SQL_POSTGRES ? "postgres" : "sqlite";
}

/* UUIDs are kept in lower case; false: `id` is none, so no row can have it. */
static bool fold_uuid(const char *id, char out[UUID_BYTES])
{
    if (id == NULL || !schema_is_uuid(slice_of(id)))
        return false;
    for (int i = 0; i < UUID_BYTES; i++)
        out[i] = slice_lower(id[i]);
    return true;
}

static enum store_result run_query(struct sql_store *store, struct sql_query *query,
                                   struct sql_statement *statement, struct store_error *error)
{
    if (!sql_query_is_ok(query))
        return store_error_set(error, STORE_FAILED, "statement too long, or out of memory");
    struct sql_statement built = sql_query_statement(query);
    statement->sql = built.sql;
    statement->params = built.params;
    statement->param_count = built.param_count;
    return store->driver->run(store, statement, error);
}

/* ------------------------------------------------------------ reading */

/* Turns the rows of a SELECT into JSON and passes them on. */
struct reader {
    const struct schema *schema;
    store_visit visit;
    void *context;
    bool has_failed;
    const char *bad; /* column that could not be read; NULL: memory */
};

static bool on_row(void *context, const struct slice *values, size_t count)
{
    struct reader *reader = context;
    json_t *row = sql_query_row(reader->schema, values, count, &reader->bad);
    if (row == NULL) {
        reader->has_failed = true;
        return false;
    }
    bool goes_on = reader->visit(reader->context, row);
    json_decref(row);
    return goes_on;
}

static enum store_result read_rows(struct sql_store *store, struct sql_query *query,
                                   struct reader *reader, struct store_error *error)
{
    struct sql_statement statement = {.on_row = on_row, .context = reader};
    enum store_result result = run_query(store, query, &statement, error);
    if (result == STORE_OK && reader->has_failed) {
        if (reader->bad == NULL)
            return store_error_memory(error);
        return store_error_set(error, STORE_FAILED,
                               "%s.%s in the database has a value that is not of its type",
                               reader->schema->name, reader->bad);
    }
    return result;
}

static bool keep_row(void *context, json_t *row)
{
    json_t **kept = context;
    *kept = json_incref(row);
    return false;
}

static enum store_result sql_select_by(struct store *base, const struct schema *schema,
                                       const char *field, const char *value, json_t **row,
                                       struct store_error *error)
{
    struct sql_store *store = sql_of(base);
    struct sql_column column;
    char uuid[UUID_BYTES];
    if (!sql_column_find(schema, field, &column) ||
        (column.kind != SQL_COLUMN_UUID && column.kind != SQL_COLUMN_TEXT))
        return store_error_set(error, STORE_FAILED, "%s has no text field '%s' to look rows up by",
                               schema->name, field);
    if (column.kind == SQL_COLUMN_UUID) {
        if (!fold_uuid(value, uuid))
            return STORE_NOT_FOUND;
        value = uuid;
    }
    struct sql_query query;
    struct reader reader = {.schema = schema, .visit = keep_row, .context = row};
    sql_query_init(&query, store->driver->dialect);
    sql_query_select(&query, schema);
    sql_query_and(&query, column.name, " = ", value);
    enum store_result result = read_rows(store, &query, &reader, error);
    sql_query_clear(&query);
    return result == STORE_OK && *row == NULL ? STORE_NOT_FOUND : result;
}

struct page_reader {
    json_t *rows;
    size_t limit;
    bool has_more, has_failed;
};

static bool add_to_page(void *context, json_t *row)
{
    struct page_reader *page = context;
    if (json_array_size(page->rows) == page->limit) {
        page->has_more = true;
        return false;
    }
    page->has_failed = json_array_append(page->rows, row) != 0;
    return !page->has_failed;
}

/* The conditions of a page. False: no row can meet them. */
static bool add_page(struct sql_query *query, const struct schema *schema,
                     const struct store_page *page)
{
    char uuid[UUID_BYTES], column[SQL_NAME_BYTES], limit[48];
    struct sql_column found;
    if (page->after_id != NULL) {
        bool is_uuid = fold_uuid(page->after_id, uuid);
        if (!is_uuid && sql_column_find(schema, "id", &found) && found.kind == SQL_COLUMN_UUID)
            return false;
        sql_query_and(query, "id", " > ", is_uuid ? uuid : page->after_id);
    }
    if (page->foreign_field != NULL) {
        snprintf(column, sizeof(column), "%s_id", page->foreign_field);
        if (!fold_uuid(page->foreign_id, uuid) || !sql_column_find(schema, column, &found))
            return false;
        sql_query_and(query, column, " = ", uuid);
    }
    if (page->tags != NULL && page->tags[0] != NULL)
        sql_query_and_tags(query, page->tags, page->is_any_tag);
    snprintf(limit, sizeof(limit), " ORDER BY \"id\" LIMIT %zu", page->limit + 1);
    sql_query_add(query, limit);
    return true;
}

static enum store_result sql_list(struct store *base, const struct schema *schema,
                                  const struct store_page *page, json_t **rows, bool *has_more,
                                  struct store_error *error)
{
    struct sql_store *store = sql_of(base);
    struct page_reader found = {.rows = json_array(), .limit = page->limit};
    struct reader reader = {.schema = schema, .visit = add_to_page, .context = &found};
    struct sql_query query;
    enum store_result result = STORE_OK;
    if (found.rows == NULL)
        return store_error_memory(error);
    sql_query_init(&query, store->driver->dialect);
    sql_query_select(&query, schema);
    if (add_page(&query, schema, page))
        result = read_rows(store, &query, &reader, error);
    sql_query_clear(&query);
    if (result == STORE_OK && found.has_failed)
        result = store_error_memory(error);
    if (result != STORE_OK) {
        json_decref(found.rows);
        return result;
    }
    *rows = found.rows;
    *has_more = found.has_more;
    return STORE_OK;
}

static enum store_result sql_each(struct store *base, const struct schema *schema,
                                  store_visit visit, void *context, struct store_error *error)
{
    struct sql_store *store = sql_of(base);
    struct reader reader = {.schema = schema, .visit = visit, .context = context};
    struct sql_query query;
    sql_query_init(&query, store->driver->dialect);
    sql_query_select(&query, schema);
    sql_query_add(&query, " ORDER BY \"id\"");
    enum store_result result = read_rows(store, &query, &reader, error);
    sql_query_clear(&query);
    return result;
}

static enum store_result sql_read_begin(struct store *base, struct store_error *error)
{
    struct sql_store *store = sql_of(base);
    if (store->is_reading)
        return store_error_set(error, STORE_FAILED, "a consistent read is already under way");
    enum store_result result = store->driver->begin(store, SQL_READ, 0, error);
    store->is_reading = result == STORE_OK;
    return result;
}

static void sql_read_end(struct store *base)
{
    struct sql_store *store = sql_of(base);
    if (store->is_reading)
        store->driver->rollback(store); /* it wrote nothing */
    store->is_reading = false;
}

/* ------------------------------------------------------------ which constraint it was */

/* A field's value as Kong shows it in `fields`; foreign keys by their id only. */
static json_t *shown(const json_t *row, const char *field)
{
    json_t *value = json_object_get(row, field);
    if (json_is_object(value))
        return json_pack("{s:O?}", "id", json_object_get(value, "id"));
    return value == NULL ? json_null() : json_incref(value);
}

static void fill_unique(const struct sql_clash *clash, const struct schema *schema,
                        const json_t *row, struct store_error *error)
{
    struct sql_column column;
    const char *one[] = {NULL, NULL};
    const char *const *names = one;
    if (strcmp(clash->column, "cache_key") == 0 && schema->unique_together != NULL)
        names = schema->unique_together;
    else if (sql_column_find(schema, clash->column, &column))
        one[0] = column.field_name;
    error->entity = schema->name;
    json_decref(error->fields);
    error->fields = json_object();
    for (; *names != NULL; names++)
        json_object_set_new(error->fields, *names, shown(row, *names));
    char *text = json_dumps(error->fields, JSON_COMPACT | JSON_SORT_KEYS);
    store_error_set(error, STORE_UNIQUE, "another row of %s has %s", schema->name,
                    text == NULL ? clash->column : text);
    free(text);
}

static void fill_foreign(const struct schema_field *field, const char *id,
                         struct store_error *error)
{
    error->entity = field->reference;
    json_decref(error->fields);
    error->fields = json_pack("{s:{s:s?}}", field->name, "id", id);
    store_error_set(error, STORE_FOREIGN, "%s.id %s does not exist in %s", field->name,
                    id == NULL ? "(none)" : id, field->reference);
}

/* SQLite does not tell which reference was broken: the first whose parent is absent. */
static void find_missing_parent(struct sql_store *store, const struct schema *schema,
                                const json_t *row, struct store_error *error)
{
    struct store_error ignored = {0};
    for (size_t i = 0; i < schema->record.field_count; i++) {
        const struct schema_field *field = &schema->record.fields[i];
        const char *id = sql_column_foreign_id(row, field->name);
        if (field->type != SCHEMA_FOREIGN || id == NULL)
            continue;
        struct sql_column column;
        bool is_named =
            sql_column_find(schema, store->clash.column, &column) && column.field == field;
        const struct schema *parent = schema_find(field->reference);
        json_t *found = NULL;
        if (is_named ||
            (store->clash.column[0] == '\0' && parent != NULL &&
             sql_select_by(&store->base, parent, "id", id, &found, &ignored) == STORE_NOT_FOUND)) {
            fill_foreign(field, id, error);
            return;
        }
        json_decref(found);
        store_error_clear(&ignored);
    }
}

static bool note_row(void *context, const struct slice *values, size_t count)
{
    (void)values;
    *(bool *)context = count > 0;
    return false;
}

static bool has_child(struct sql_store *store, const struct schema *child,
                      const struct schema_field *field, const char *parent_id)
{
    struct store_error ignored = {0};
    struct sql_query query;
    bool has_row = false;
    char column[SQL_NAME_BYTES];
    struct sql_statement statement = {.on_row = note_row, .context = &has_row};
    snprintf(column, sizeof(column), "%s_id", field->name);
    sql_query_init(&query, store->driver->dialect);
    sql_query_select(&query, child);
    sql_query_and(&query, column, " = ", parent_id);
    sql_query_add(&query, " LIMIT 1");
    enum store_result result = run_query(store, &query, &statement, &ignored);
    sql_query_clear(&query);
    return result == STORE_OK && has_row;
}

/* The child that keeps a row from being deleted: named by the database, or looked for. */
static void find_child(struct sql_store *store, const struct schema *schema, const char *id,
                       struct store_error *error)
{
    const struct schema *found = schema_find(store->clash.table);
    for (const struct schema *const *child = schema_core(); found == NULL && *child != NULL;
         child++) {
        for (size_t i = 0; i < (*child)->record.field_count && found == NULL; i++) {
            const struct schema_field *field = &(*child)->record.fields[i];
            if (field->type == SCHEMA_FOREIGN && field->on_delete == SCHEMA_RESTRICT &&
                strcmp(field->reference, schema->name) == 0 && has_child(store, *child, field, id))
                found = *child;
        }
    }
    error->entity = found == NULL ? "unknown" : found->name;
    store_error_set(error, STORE_REFERENCED, "a row of %s still references %s %s", error->entity,
                    schema->name, id);
}

static bool has_id(struct sql_store *store, const struct schema *schema, const json_t *row)
{
    struct store_error ignored = {0};
    json_t *found = NULL;
    const char *id = json_string_value(json_object_get(row, "id"));
    bool is_there = sql_select_by(&store->base, schema, "id", id, &found, &ignored) == STORE_OK;
    json_decref(found);
    return is_there;
}

/* Fills the error of a write that has been rolled back, and returns its final result: of an insert
 * that breaks several keys SQLite reports any, PostgreSQL and Kong the primary key. */
static enum store_result explain(struct sql_store *store, const struct schema *schema,
                                 enum store_write kind, const json_t *row, enum store_result result,
                                 struct store_error *error)
{
    if (result == STORE_UNIQUE && kind == STORE_INSERT && has_id(store, schema, row))
        result = STORE_PRIMARY;
    if (result == STORE_UNIQUE) {
        fill_unique(&store->clash, schema, row, error);
    } else if (result == STORE_FOREIGN) {
        find_missing_parent(store, schema, row, error);
    } else if (result == STORE_PRIMARY) {
        error->entity = schema->name;
        json_decref(error->fields);
        error->fields = json_pack("{s:o}", "id", shown(row, "id"));
        store_error_set(error, STORE_PRIMARY, "%s has a row with id %s already", schema->name,
                        json_string_value(json_object_get(row, "id")));
    }
    return result;
}

/* ------------------------------------------------------------ writing */

/* References that are no UUIDs cannot exist (PostgreSQL would refuse them as malformed), nor can
 * those to an entity that this build does not have. */
static enum store_result check_ids(const struct schema *schema, const json_t *row,
                                   struct store_error *error)
{
    for (size_t i = 0; i < schema->record.field_count; i++) {
        const struct schema_field *field = &schema->record.fields[i];
        const json_t *value = json_object_get(row, field->name);
        char uuid[UUID_BYTES];
        if (value == NULL || json_is_null(value))
            continue;
        if (field->type == SCHEMA_FOREIGN) {
            const char *id = sql_column_foreign_id(row, field->name);
            if (!fold_uuid(id, uuid) || schema_find(field->reference) == NULL) {
                fill_foreign(field, id, error);
                return STORE_FOREIGN;
            }
        } else if (field->type == SCHEMA_STRING && field->uuid &&
                   !fold_uuid(json_string_value(value), uuid)) {
            return store_error_set(error, STORE_FAILED, "%s.%s: expected a UUID", schema->name,
                                   field->name);
        }
    }
    return STORE_OK;
}

/* Expired rows are gone for readers; they must not clash with new ones either. */
static enum store_result purge(struct sql_store *store, const struct schema *schema,
                               struct store_error *error)
{
    if (!schema->has_ttl)
        return STORE_OK;
    struct sql_query query;
    struct sql_statement statement = {0};
    sql_query_init(&query, store->driver->dialect);
    sql_query_purge(&query, schema);
    enum store_result result = run_query(store, &query, &statement, error);
    sql_query_clear(&query);
    return result;
}

/* One write in a transaction of its own. STORE_NOT_FOUND if it met no row. */
static enum store_result write_query(struct sql_store *store, const struct schema *schema,
                                     struct sql_query *query, struct store_error *error)
{
    struct sql_statement statement = {0};
    if (store->is_reading)
        return store_error_set(error, STORE_FAILED, "a write during a consistent read");
    store->clash = (struct sql_clash){0};
    enum store_result result = store->driver->begin(store, SQL_WRITE, 0, error);
    if (result != STORE_OK)
        return result;
    result = purge(store, schema, error);
    if (result == STORE_OK)
        result = run_query(store, query, &statement, error);
    if (result == STORE_OK && statement.affected == 0)
        result = STORE_NOT_FOUND;
    if (result == STORE_OK)
        result = store->driver->commit(store, error);
    if (result != STORE_OK)
        store->driver->rollback(store);
    return result;
}

static enum store_result sql_write(struct store *base, const struct schema *schema,
                                   enum store_write kind, const json_t *row,
                                   struct store_error *error)
{
    struct sql_store *store = sql_of(base);
    struct sql_query query;
    enum store_result result = check_ids(schema, row, error);
    if (result != STORE_OK)
        return result;
    sql_query_init(&query, store->driver->dialect);
    const char *bad = sql_query_write(&query, schema, kind, row);
    if (bad != NULL)
        result = store_error_set(error, STORE_FAILED, "%s.%s: the value has the wrong type",
                                 schema->name, bad);
    else
        result = write_query(store, schema, &query, error);
    sql_query_clear(&query);
    return explain(store, schema, kind, row, result, error);
}

static enum store_result sql_remove(struct store *base, const struct schema *schema, const char *id,
                                    struct store_error *error)
{
    struct sql_store *store = sql_of(base);
    struct sql_query query;
    char uuid[UUID_BYTES];
    if (!fold_uuid(id, uuid))
        return STORE_NOT_FOUND;
    sql_query_init(&query, store->driver->dialect);
    sql_query_delete(&query, schema, uuid);
    enum store_result result = write_query(store, schema, &query, error);
    sql_query_clear(&query);
    if (result != STORE_FOREIGN)
        return result;
    find_child(store, schema, uuid, error);
    return STORE_REFERENCED;
}

/* ------------------------------------------------------------ change log */

struct change_reader {
    json_t *rows;
    int64_t latest;
    int64_t next; /* number that the next row must have */
    bool has_gap, has_failed;
};

/* latest, seq, entity, id, op; all but the first are NULL if nothing changed. */
static bool on_change(void *context, const struct slice *values, size_t count)
{
    struct change_reader *changes = context;
    if (count != 5 || values[0].ptr == NULL)
        return false;
    changes->latest = strtoll(values[0].ptr, NULL, 10);
    if (values[1].ptr == NULL)
        return false;
    int64_t seq = strtoll(values[1].ptr, NULL, 10);
    if (seq != changes->next)
        changes->has_gap = true;
    changes->next = seq + 1;
    json_t *row = json_pack("{s:I, s:s, s:s, s:s}", "seq", (json_int_t)seq, "entity", values[2].ptr,
                            "id", values[3].ptr, "op", values[4].ptr);
    changes->has_failed = json_array_append_new(changes->rows, row) != 0;
    return !changes->has_failed;
}

static enum store_result sql_changes_since(struct store *base, int64_t seq, json_t **rows,
                                           int64_t *latest, struct store_error *error)
{
    struct sql_store *store = sql_of(base);
    struct change_reader changes = {.rows = json_array(), .next = seq + 1};
    char number[24];
    snprintf(number, sizeof(number), "%lld", (long long)seq);
    struct slice params[] = {slice_of(number)};
    bool is_postgres = store->driver->dialect == SQL_POSTGRES;
    struct sql_statement statement = {
        .sql = is_postgres ? "SELECT v.seq, c.seq, c.entity, c.entity_id, c.op FROM config_version "
                             "AS v LEFT JOIN config_changes AS c ON c.seq > $1 ORDER BY c.seq"
                           : "SELECT v.seq, c.seq, c.entity, c.entity_id, c.op FROM config_version "
                             "AS v LEFT JOIN config_changes AS c ON c.seq > CAST(?1 AS INTEGER) "
                             "ORDER BY c.seq",
        .params = params,
        .param_count = 1,
        .on_row = on_change,
        .context = &changes,
    };
    enum store_result result = store->driver->run(store, &statement, error);
    if (result == STORE_OK && (changes.has_failed || changes.rows == NULL))
        result = store_error_memory(error);
    if (result != STORE_OK) {
        json_decref(changes.rows);
        return result;
    }
    *latest = changes.latest;
    if (changes.has_gap || changes.next != changes.latest + 1)
        json_decref(changes.rows); /* incomplete: the caller must read everything */
    else
        *rows = changes.rows;
    return STORE_OK;
}

/* ------------------------------------------------------------ migrations */

static enum store_result sql_state_get(struct store *base, enum store_state *state,
                                       struct store_error *error)
{
    return migrations_state(sql_of(base), state, error);
}

static enum store_result sql_migrate(struct store *base, int64_t lock_timeout_ms, int *applied,
                                     struct store_error *error)
{
    return migrations_run(sql_of(base), lock_timeout_ms, applied, error);
}

static enum store_result sql_reset(struct store *base, struct store_error *error)
{
    return migrations_reset(sql_of(base), error);
}

static enum store_result sql_status(struct store *base, json_t **status, struct store_error *error)
{
    return migrations_status(sql_of(base), status, error);
}

static void sql_close(struct store *base)
{
    sql_of(base)->driver->close(sql_of(base));
}

#define STORE_SQL_OPS(name)                                                                        \
    {                                                                                              \
        .kind = name, .close = sql_close, .state_get = sql_state_get, .migrate = sql_migrate,      \
        .reset = sql_reset, .status = sql_status, .select_by = sql_select_by, .list = sql_list,    \
        .each = sql_each, .read_begin = sql_read_begin, .read_end = sql_read_end,                  \
        .write = sql_write, .remove = sql_remove, .changes_since = sql_changes_since,              \
    }

const struct store_ops store_sql_sqlite_ops = STORE_SQL_OPS("sqlite");
const struct store_ops store_sql_postgres_ops = STORE_SQL_OPS("postgres");
