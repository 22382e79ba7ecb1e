/* SPDX-License-Identifier: Apache-2.0 */
/* sql_query.h -- builds one SQL statement with its parameters.
 *
 * A builder: it remembers its first failure, sql_query_is_ok() tells at the end. Values never enter
 * the text, only placeholders; names come from schemas and are quoted. Lives on the caller's stack.
 */
#ifndef SLUICE_CONFIG_SQL_QUERY_H
#define SLUICE_CONFIG_SQL_QUERY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "config/sql_column.h"

enum { SQL_PARAMS_MAX = SQL_COLUMNS_MAX + 16, SQL_TEXT_BYTES_MAX = 65536 };

struct sql_query {
    enum sql_dialect dialect;
    struct buffer text;
    struct arena arena; /* of the parameters */
    struct slice params[SQL_PARAMS_MAX];
    size_t param_count;
    bool has_failed;
};

void sql_query_init(struct sql_query *query, enum sql_dialect dialect);
void sql_query_clear(struct sql_query *query);
bool sql_query_is_ok(const struct sql_query *query);
/* The finished statement, borrowed from the query. Only when it is ok. */
struct sql_statement sql_query_statement(const struct sql_query *query);

void sql_query_add(struct sql_query *query, const char *text);
/* "name" */
void sql_query_add_name(struct sql_query *query, const char *name);
/* A placeholder; `value` is copied. */
void sql_query_add_param(struct sql_query *query, struct slice value);

/* SELECT <columns of the schema> FROM <table> WHERE <not expired>; conditions follow with AND. */
void sql_query_select(struct sql_query *query, const struct schema *schema);
/* The row that such a query returned; new reference. NULL: a value that is not of its column's
 * type; `bad` is then its name (static), or NULL when out of memory. */
json_t *sql_query_row(const struct schema *schema, const struct slice *values, size_t count,
                      const char **bad);
/* AND "column" = / > value */
void sql_query_and(struct sql_query *query, const char *column, const char *operation,
                   const char *value);
/* AND the row has all of the tags, or any. */
void sql_query_and_tags(struct sql_query *query, const char *const *tags, bool is_any);

/* The statement that writes `row`. Returns the name of the first field whose value the column
 * cannot hold, or NULL. */
const char *sql_query_write(struct sql_query *query, const struct schema *schema,
                            enum store_write kind, const json_t *row);
/* DELETE FROM <table> WHERE id = */
void sql_query_delete(struct sql_query *query, const struct schema *schema, const char *id);
/* DELETE of every row of a table with ttl whose time has come. */
void sql_query_purge(struct sql_query *query, const struct schema *schema);

#endif
