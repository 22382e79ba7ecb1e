/* SPDX-License-Identifier: Apache-2.0 */
/* sql_column.h -- how the fields of an entity are kept in the columns of its table.
 *
 * Derived from the schema alone, so that a new entity needs a migration and no code:
 *   field                           PostgreSQL         SQLite
 *   string, uuid                    TEXT, UUID         TEXT (UUIDs in lower case)
 *   integer, number, boolean        BIGINT, DOUBLE PRECISION, BOOLEAN    INTEGER, REAL, INTEGER
 *   timestamp                       TIMESTAMPTZ        INTEGER or REAL, Unix seconds
 *   ttl                             TIMESTAMPTZ        REAL, Unix seconds; absolute time of expiry
 *   foreign                         <field>_id UUID    <field>_id TEXT
 *   array or set of strings         TEXT[]             TEXT, JSON
 *   other arrays, maps, records, …  JSONB              TEXT, JSON
 *   unique_together                 cache_key TEXT, "<entity>:<value>:…", written and never read */
#ifndef SLUICE_CONFIG_SQL_COLUMN_H
#define SLUICE_CONFIG_SQL_COLUMN_H

#include "base/arena.h"
#include "config/schema.h"
#include "config/store_sql.h"

enum sql_column_kind {
    SQL_COLUMN_TEXT,
    SQL_COLUMN_UUID,
    SQL_COLUMN_INTEGER,
    SQL_COLUMN_NUMBER,
    SQL_COLUMN_BOOLEAN,
    SQL_COLUMN_TIME,          /* whole seconds */
    SQL_COLUMN_TIME_FRACTION, /* seconds and milliseconds */
    SQL_COLUMN_TTL,
    SQL_COLUMN_FOREIGN,
    SQL_COLUMN_LIST,
    SQL_COLUMN_JSON,
    SQL_COLUMN_CACHE_KEY,
};

struct sql_column {
    const struct schema_field *field; /* NULL for cache_key, and for a ttl that has no field */
    const char *field_name;           /* member of the row; "cache_key" for that */
    enum sql_column_kind kind;
    char name[SQL_NAME_BYTES];
};

enum { SQL_COLUMNS_MAX = 64 };

/* The columns of the entity's table; their number. */
size_t sql_column_list(const struct schema *schema, struct sql_column out[SQL_COLUMNS_MAX]);
/* By the name of the column; false: the table has none. */
bool sql_column_find(const struct schema *schema, const char *name, struct sql_column *out);

/* The value that `row` has for the column, as a parameter in `arena`; absent for null. False: the
 * value has a type that the column cannot hold, or out of memory. */
bool sql_column_write(const struct sql_column *column, const struct schema *schema,
                      const json_t *row, enum sql_dialect dialect, struct arena *arena,
                      struct slice *out) __attribute__((warn_unused_result));
/* What a query returned for the column, as JSON; new reference. NULL: not of its type, or out of
 * memory. */
json_t *sql_column_read(const struct sql_column *column, struct slice value)
    __attribute__((warn_unused_result));

/* The member {"id": text} of a row's foreign field; NULL: null or malformed. */
const char *sql_column_foreign_id(const json_t *row, const char *field);

#endif
