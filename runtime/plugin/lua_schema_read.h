/* SPDX-License-Identifier: Apache-2.0 */
/* lua_schema_read.h -- inside of struct lua_schema, for lua_schema.c and lua_schema_read.c only. */
#ifndef SLUICE_PLUGIN_LUA_SCHEMA_READ_H
#define SLUICE_PLUGIN_LUA_SCHEMA_READ_H

#include "base/arena.h"
#include "config/schema.h"
#include "lua_binding.h"

struct lua_schema {
    struct lua_binding binding;
    struct arena arena; /* holds the description; clears its JSON values */
    struct schema schema;
    struct log *log;
};

/* Context of a check that is a Lua function. In the arena. */
struct lua_schema_code {
    struct lua_schema *owner;
    int ref; /* registry: the function */
    const char *const
        *needed; /* entity checks: skipped unless all these are set; NULL: always run */
};

/* Fills out->schema from the table at `index`. Raises a Lua error that names the field. */
void lua_schema_read(lua_State *L, int index, struct lua_schema *out);

/* The schema_validator of a custom_validator, and `run` of a check. */
char *lua_schema_validate(const void *context, const json_t *value);
void lua_schema_check(const void *context, const json_t *entity, struct schema_errors *errors);

#endif
