/* SPDX-License-Identifier: Apache-2.0 */
/* sql_query.c -- the statements of store_sql.c, in both dialects. */
#include "config/sql_query.h"

#include <stdio.h>

/* ------------------------------------------------------------ building */

void sql_query_init(struct sql_query *query, enum sql_dialect dialect)
{
    query->dialect = dialect;
    query->text = (struct buffer){0};
    arena_init(&query->arena, NULL);
    query->param_count = 0;
    query->has_failed = false;
}

void sql_query_clear(struct sql_query *query)
{
    buffer_clear(&query->text);
    arena_clear(&query->arena);
}

bool sql_query_is_ok(const struct sql_query *query)
{
    return !query->has_failed;
}

struct sql_statement sql_query_statement(const struct sql_query *query)
{
    return (struct sql_statement){
        .sql = buffer_head(&query->text),
        .params = query->params,
        .param_count = query->param_count,
    };
}

void sql_query_add(struct sql_query *query, const char *text)
{
    /* The NUL is always behind the text, so that it is a C string at any time. */
    if (query->has_failed || !buffer_append(&query->text, slice_of(text), SQL_TEXT_BYTES_MAX - 1) ||
        !buffer_reserve(&query->text, 1, SQL_TEXT_BYTES_MAX)) {
        query->has_failed = true;
        return;
    }
    *buffer_tail(&query->text) = '\0';
}

void sql_query_add_name(struct sql_query *query, const char *name)
{
    if (strchr(name, '"') != NULL) { /* no schema has such a name */
        query->has_failed = true;
        return;
    }
    sql_query_add(query, "\"");
    sql_query_add(query, name);
    sql_query_add(query, "\"");
}

/* `value` already lives in the arena, or is absent. */
static void add_owned_param(struct sql_query *query, struct slice value)
{
    char placeholder[16];
    if (query->param_count == SQL_PARAMS_MAX) {
        query->has_failed = true;
        return;
    }
    query->params[query->param_count++] = value;
    snprintf(placeholder, sizeof(placeholder), query->dialect == SQL_POSTGRES ? "$%zu" : "?%zu",
             query->param_count);
    sql_query_add(query, placeholder);
}

void sql_query_add_param(struct sql_query *query, struct slice value)
{
    struct slice copy = value.ptr == NULL ? value : arena_copy(&query->arena, value);
    if (copy.ptr == NULL && value.ptr != NULL)
        query->has_failed = true;
    add_owned_param(query, copy);
}

/* The present time in the form in which the dialect keeps times. */
static void add_now(struct sql_query *query)
{
    sql_query_add(query, query->dialect == SQL_POSTGRES
                             ? "current_timestamp"
                             : "((julianday('now') - 2440587.5) * 86400.0)");
}

/* ------------------------------------------------------------ reading */

static void add_wrapped(struct sql_query *query, const char *before, const char *name,
                        const char *after)
{
    sql_query_add(query, before);
    sql_query_add_name(query, name);
    sql_query_add(query, after);
}

/* A column as sql_column_read() wants it. */
static void add_read(struct sql_query *query, const struct sql_column *column)
{
    bool is_postgres = query->dialect == SQL_POSTGRES;
    const char *name = column->name;
    switch (column->kind) {
    case SQL_COLUMN_TIME:
        if (is_postgres)
            add_wrapped(query, "floor(extract(epoch FROM ", name, "))::bigint");
        else
            add_wrapped(query, "CAST(", name, " AS INTEGER)");
        return;
    case SQL_COLUMN_TIME_FRACTION:
        if (is_postgres)
            add_wrapped(query, "extract(epoch FROM ", name, ")::double precision");
        else
            sql_query_add_name(query, name);
        return;
    case SQL_COLUMN_TTL:
        if (is_postgres) {
            add_wrapped(query, "extract(epoch FROM ", name, " - current_timestamp)");
        } else {
            add_wrapped(query, "(", name, " - ");
            add_now(query);
            sql_query_add(query, ")");
        }
        return;
    case SQL_COLUMN_LIST:
        if (is_postgres)
            add_wrapped(query, "array_to_json(", name, ")");
        else
            sql_query_add_name(query, name);
        return;
    case SQL_COLUMN_TEXT:
    case SQL_COLUMN_UUID:
    case SQL_COLUMN_INTEGER:
    case SQL_COLUMN_NUMBER:
    case SQL_COLUMN_BOOLEAN:
    case SQL_COLUMN_FOREIGN:
    case SQL_COLUMN_JSON:
    case SQL_COLUMN_CACHE_KEY: sql_query_add_name(query, name);
    }
}

void sql_query_select(struct sql_query *query, const struct schema *schema)
{
    struct sql_column columns[SQL_COLUMNS_MAX];
    size_t count = sql_column_list(schema, columns);
    sql_query_add(query, "SELECT ");
    bool is_first = true;
    for (size_t i = 0; i < count; i++) {
        if (columns[i].kind == SQL_COLUMN_CACHE_KEY)
            continue;
        sql_query_add(query, is_first ? "" : ", ");
        is_first = false;
        add_read(query, &columns[i]);
    }
    add_wrapped(query, " FROM ", schema->name, " WHERE ");
    if (schema->has_ttl) {
        sql_query_add(query, "(\"ttl\" IS NULL OR \"ttl\" > ");
        add_now(query);
        sql_query_add(query, ")");
    } else {
        sql_query_add(query, "1 = 1");
    }
}

json_t *sql_query_row(const struct schema *schema, const struct slice *values, size_t count,
                      const char **bad)
{
    struct sql_column columns[SQL_COLUMNS_MAX];
    size_t column_count = sql_column_list(schema, columns), at = 0;
    json_t *row = json_object();
    *bad = NULL;
    for (size_t i = 0; i < column_count && row != NULL; i++) {
        if (columns[i].kind == SQL_COLUMN_CACHE_KEY)
            continue;
        json_t *value = at < count ? sql_column_read(&columns[i], values[at++]) : NULL;
        if (value == NULL)
            *bad = columns[i].field_name;
        if (json_object_set_new(row, columns[i].field_name, value) != 0) {
            json_decref(row);
            row = NULL;
        }
    }
    return row;
}

void sql_query_and(struct sql_query *query, const char *column, const char *operation,
                   const char *value)
{
    sql_query_add(query, " AND ");
    sql_query_add_name(query, column);
    sql_query_add(query, operation);
    sql_query_add_param(query, slice_of(value));
}

void sql_query_and_tags(struct sql_query *query, const char *const *tags, bool is_any)
{
    bool is_postgres = query->dialect == SQL_POSTGRES;
    if (is_postgres)
        sql_query_add(query, is_any ? " AND \"tags\" && ARRAY[" : " AND \"tags\" @> ARRAY[");
    else
        sql_query_add(query, " AND (");
    for (size_t i = 0; tags[i] != NULL; i++) {
        if (is_postgres) {
            sql_query_add(query, i == 0 ? "" : ", ");
            sql_query_add_param(query, slice_of(tags[i]));
            continue;
        }
        sql_query_add(query, i == 0 ? "" : is_any ? " OR " : " AND ");
        sql_query_add_param(query, slice_of(tags[i]));
        sql_query_add(query, " IN (SELECT value FROM json_each(\"tags\"))");
    }
    sql_query_add(query, is_postgres ? "]::text[]" : ")");
}

/* ------------------------------------------------------------ writing */

/* The parameter for a column as an expression of the column's type. */
static void add_write(struct sql_query *query, const struct sql_column *column, struct slice value)
{
    bool is_postgres = query->dialect == SQL_POSTGRES;
    if (column->kind == SQL_COLUMN_TTL) {
        sql_query_add(query, "(");
        add_now(query);
        sql_query_add(query, " + ");
        add_owned_param(query, value);
        sql_query_add(query, is_postgres ? "::double precision * interval '1 second')" : ")");
    } else if (is_postgres &&
               (column->kind == SQL_COLUMN_TIME || column->kind == SQL_COLUMN_TIME_FRACTION)) {
        sql_query_add(query, "to_timestamp(");
        add_owned_param(query, value);
        sql_query_add(query, "::double precision)");
    } else {
        add_owned_param(query, value);
    }
}

static void add_conflict(struct sql_query *query, const struct sql_column *columns, size_t count)
{
    sql_query_add(query, " ON CONFLICT (\"id\") DO UPDATE SET ");
    bool is_first = true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(columns[i].name, "id") == 0)
            continue;
        sql_query_add(query, is_first ? "" : ", ");
        is_first = false;
        sql_query_add_name(query, columns[i].name);
        sql_query_add(query, " = excluded.");
        sql_query_add_name(query, columns[i].name);
    }
}

static void add_insert(struct sql_query *query, const struct schema *schema,
                       const struct sql_column *columns, const struct slice *values, size_t count)
{
    add_wrapped(query, "INSERT INTO ", schema->name, " (");
    for (size_t i = 0; i < count; i++) {
        sql_query_add(query, i == 0 ? "" : ", ");
        sql_query_add_name(query, columns[i].name);
    }
    sql_query_add(query, ") VALUES (");
    for (size_t i = 0; i < count; i++) {
        sql_query_add(query, i == 0 ? "" : ", ");
        add_write(query, &columns[i], values[i]);
    }
    sql_query_add(query, ")");
}

static void add_update(struct sql_query *query, const struct schema *schema,
                       const struct sql_column *columns, const struct slice *values, size_t count)
{
    struct slice id = {NULL, 0};
    bool is_first = true;
    add_wrapped(query, "UPDATE ", schema->name, " SET ");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(columns[i].name, "id") == 0) {
            id = values[i];
            continue;
        }
        sql_query_add(query, is_first ? "" : ", ");
        is_first = false;
        sql_query_add_name(query, columns[i].name);
        sql_query_add(query, " = ");
        add_write(query, &columns[i], values[i]);
    }
    sql_query_add(query, " WHERE \"id\" = ");
    add_owned_param(query, id);
}

const char *sql_query_write(struct sql_query *query, const struct schema *schema,
                            enum store_write kind, const json_t *row)
{
    struct sql_column columns[SQL_COLUMNS_MAX];
    struct slice values[SQL_COLUMNS_MAX];
    size_t count = sql_column_list(schema, columns);
    for (size_t i = 0; i < count; i++)
        if (!sql_column_write(&columns[i], schema, row, query->dialect, &query->arena, &values[i]))
            return columns[i].field == NULL ? columns[i].field_name : columns[i].field->name;
    switch (kind) {
    case STORE_UPDATE: add_update(query, schema, columns, values, count); break;
    case STORE_INSERT: add_insert(query, schema, columns, values, count); break;
    case STORE_UPSERT:
        add_insert(query, schema, columns, values, count);
        add_conflict(query, columns, count);
        break;
    }
    return NULL;
}

void sql_query_delete(struct sql_query *query, const struct schema *schema, const char *id)
{
    add_wrapped(query, "DELETE FROM ", schema->name, " WHERE \"id\" = ");
    sql_query_add_param(query, slice_of(id));
}

void sql_query_purge(struct sql_query *query, const struct schema *schema)
{
    add_wrapped(query, "DELETE FROM ", schema->name, " WHERE \"ttl\" <= ");
    add_now(query);
}
