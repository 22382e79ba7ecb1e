/* SPDX-License-Identifier: Apache-2.0 */
/* lua_schema_read.c -- translates the table of a schema.lua (reference: Kong's schema language)
 * into struct schema.
 *
 * Runs inside a protected call: every failure is a Lua error that begins with the path of the
 * field. What is allocated belongs to the arena of struct lua_schema, JSON values included. */
#include "plugin/lua_schema_read.h"

#include <lauxlib.h>
#include <stdio.h>

#include "base/log.h"
#include "plugin/lua_json.h"

enum { MAX_DEPTH = 16, MAX_PATH = 256 };

struct reader {
    lua_State *L;
    struct lua_schema *out;
    const char *names[MAX_DEPTH]; /* of the fields around the one that is read */
    size_t depth;
};

static void read_record(struct reader *reader, int index, struct schema_record *out);
static void read_field(struct reader *reader, int index, struct schema_field *out);

/* ------------------------------------------------------------------------------------- helpers */
static const char *path_of(const struct reader *reader, char path[MAX_PATH])
{
    size_t at = 0;
    path[0] = '\0';
    for (size_t i = 0; i < reader->depth && at < MAX_PATH; i++)
        at +=
            (size_t)snprintf(path + at, MAX_PATH - at, "%s%s", i == 0 ? "" : ".", reader->names[i]);
    return path;
}

static void refuse(struct reader *reader, const char *reason, const char *detail)
{
    char path[MAX_PATH];
    luaL_error(reader->L, "schema.lua, %s: %s%s",
               reader->depth == 0 ? "top level" : path_of(reader, path), reason, detail);
}

static void warn(struct reader *reader, const char *what)
{
    char path[MAX_PATH];
    log_write(reader->out->log, LOG_LEVEL_WARN, "[%s] schema.lua, %s: %s", reader->out->schema.name,
              reader->depth == 0 ? "top level" : path_of(reader, path), what);
}

static void enter(struct reader *reader, const char *name)
{
    if (reader->depth == MAX_DEPTH)
        refuse(reader, "fields are nested too deeply", "");
    reader->names[reader->depth++] = name;
    luaL_checkstack(reader->L, 12, "schema nested too deeply");
}

static void leave(struct reader *reader)
{
    reader->depth--;
}

static void *allocate(struct reader *reader, size_t count, size_t size)
{
    void *memory = arena_calloc(&reader->out->arena, count * size + 1);
    if (memory == NULL)
        luaL_error(reader->L, "out of memory");
    return memory;
}

/* Pushes member `name`; false (and nothing pushed) if it is nil. */
static bool push_member(struct reader *reader, int index, const char *name)
{
    lua_getfield(reader->L, index, name);
    if (!lua_isnil(reader->L, -1))
        return true;
    lua_pop(reader->L, 1);
    return false;
}

static const char *keep_text(struct reader *reader, int index)
{
    size_t len = 0;
    if (lua_type(reader->L, index) != LUA_TSTRING)
        refuse(reader, "expected a string, got a ", luaL_typename(reader->L, index));
    const char *text = lua_tolstring(reader->L, index, &len);
    struct slice copy = arena_copy(&reader->out->arena, slice_make(text, len));
    if (copy.ptr == NULL)
        luaL_error(reader->L, "out of memory");
    return copy.ptr;
}

static const char *get_text(struct reader *reader, int index, const char *name)
{
    if (!push_member(reader, index, name))
        return NULL;
    const char *text = keep_text(reader, -1);
    lua_pop(reader->L, 1);
    return text;
}

static bool get_flag(struct reader *reader, int index, const char *name)
{
    lua_getfield(reader->L, index, name);
    bool is_true = lua_toboolean(reader->L, -1);
    lua_pop(reader->L, 1);
    return is_true;
}

static bool get_number(struct reader *reader, int index, const char *name, double *out)
{
    if (!push_member(reader, index, name))
        return false;
    if (lua_type(reader->L, -1) != LUA_TNUMBER)
        refuse(reader, name, " must be a number");
    *out = lua_tonumber(reader->L, -1);
    lua_pop(reader->L, 1);
    return true;
}

static bool get_length(struct reader *reader, int index, const char *name, int64_t *out)
{
    double value = 0;
    bool is_given = get_number(reader, index, name, &value);
    *out = (int64_t)value;
    return is_given;
}

static void free_json(void *value)
{
    json_decref(value);
}

static json_t *get_json(struct reader *reader, int index, const char *name, bool is_array)
{
    if (!push_member(reader, index, name))
        return NULL;
    json_t *value = lua_json_read(reader->L, -1, is_array);
    if (value == NULL)
        refuse(reader, name, " holds what JSON cannot (a function, or too deep a table)");
    if (!arena_on_clear(&reader->out->arena, free_json, value)) {
        json_decref(value);
        luaL_error(reader->L, "out of memory");
    }
    lua_pop(reader->L, 1);
    return value;
}

/* The array of strings on top of the stack, NULL-terminated. */
static const char *const *keep_texts(struct reader *reader)
{
    if (!lua_istable(reader->L, -1))
        refuse(reader, "expected an array of field names, got a ", luaL_typename(reader->L, -1));
    size_t count = lua_objlen(reader->L, -1);
    const char **texts = allocate(reader, count + 1, sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        texts[i] = keep_text(reader, -1);
        lua_pop(reader->L, 1);
    }
    return texts;
}

static const struct lua_schema_code *keep_function(struct reader *reader, int index,
                                                   const char *const *needed)
{
    if (!lua_isfunction(reader->L, index))
        refuse(reader, "expected a function, got a ", luaL_typename(reader->L, index));
    struct lua_schema_code *code = allocate(reader, 1, sizeof(*code));
    lua_pushvalue(reader->L, index);
    *code = (struct lua_schema_code){reader->out, luaL_ref(reader->L, LUA_REGISTRYINDEX), needed};
    return code;
}

/* ------------------------------------------------------------------------------------- patterns */
static const struct schema_pattern *get_pattern(struct reader *reader, int index, const char *name)
{
    const char *text = get_text(reader, index, name);
    if (text == NULL)
        return NULL;
    struct schema_pattern *patterns = allocate(reader, 2, sizeof(*patterns));
    patterns[0].pattern = text;
    return patterns;
}

/* match_all, match_none: an array of {pattern = , err = }. */
static const struct schema_pattern *get_pattern_list(struct reader *reader, int index,
                                                     const char *name)
{
    if (!push_member(reader, index, name))
        return NULL;
    size_t count = lua_objlen(reader->L, -1);
    struct schema_pattern *patterns = allocate(reader, count + 1, sizeof(*patterns));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        if (!lua_istable(reader->L, -1))
            refuse(reader, name, " must be an array of {pattern = , err = }");
        patterns[i].pattern = get_text(reader, lua_gettop(reader->L), "pattern");
        patterns[i].error = get_text(reader, lua_gettop(reader->L), "err");
        if (patterns[i].pattern == NULL)
            refuse(reader, name, " has a member without `pattern`");
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
    return patterns;
}

/* match_any: {patterns = {...}, err = }. */
static const struct schema_pattern *get_match_any(struct reader *reader, int index)
{
    if (!push_member(reader, index, "match_any"))
        return NULL;
    int any = lua_gettop(reader->L);
    if (!lua_istable(reader->L, any) || !push_member(reader, any, "patterns"))
        refuse(reader, "match_any", " must be {patterns = {...}, err = }");
    const char *const *texts = keep_texts(reader);
    const char *error = get_text(reader, any, "err");
    size_t count = lua_objlen(reader->L, -1);
    struct schema_pattern *patterns = allocate(reader, count + 1, sizeof(*patterns));
    for (size_t i = 0; i < count; i++)
        patterns[i] = (struct schema_pattern){texts[i], error};
    lua_settop(reader->L, any - 1);
    return patterns;
}

/* --------------------------------------------------------------------------------------- fields */
static enum schema_type get_type(struct reader *reader, int index)
{
    static const struct {
        const char *name;
        enum schema_type type;
    } types[] = {
        {"string", SCHEMA_STRING},   {"number", SCHEMA_NUMBER}, {"integer", SCHEMA_INTEGER},
        {"boolean", SCHEMA_BOOLEAN}, {"array", SCHEMA_ARRAY},   {"set", SCHEMA_SET},
        {"map", SCHEMA_MAP},         {"record", SCHEMA_RECORD}, {"foreign", SCHEMA_FOREIGN},
        {"json", SCHEMA_JSON},       {"any", SCHEMA_ANY},       {"function", SCHEMA_FUNCTION},
    };
    const char *name = get_text(reader, index, "type");
    if (name == NULL) {
        refuse(reader, "the field has no `type`", "");
        return SCHEMA_ANY;
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    refuse(reader, "unknown type: ", name);
    return SCHEMA_ANY;
}

static void read_values(struct reader *reader, int index, struct schema_field *out)
{
    bool is_list = out->type == SCHEMA_ARRAY || out->type == SCHEMA_SET;
    out->default_value = get_json(reader, index, "default", is_list);
    out->one_of = get_json(reader, index, "one_of", true);
    out->not_one_of = get_json(reader, index, "not_one_of", true);
    out->eq = get_json(reader, index, "eq", is_list);
    out->ne = get_json(reader, index, "ne", is_list);
    out->contains = get_json(reader, index, "contains", false);
    out->exclusive_subsets = get_json(reader, index, "mutually_exclusive_subsets", true);
}

static void read_bounds(struct reader *reader, int index, struct schema_field *out)
{
    out->has_gt = get_number(reader, index, "gt", &out->gt);
    out->has_len_eq = get_length(reader, index, "len_eq", &out->len_eq);
    out->has_len_min = get_length(reader, index, "len_min", &out->len_min);
    out->has_len_max = get_length(reader, index, "len_max", &out->len_max);
    if (!push_member(reader, index, "between"))
        return;
    if (!lua_istable(reader->L, -1) || lua_objlen(reader->L, -1) != 2)
        refuse(reader, "between", " must be an array of two numbers");
    for (int i = 0; i < 2; i++) {
        lua_rawgeti(reader->L, -1, i + 1);
        out->between[i] = lua_tonumber(reader->L, -1);
        lua_pop(reader->L, 1);
    }
    out->has_between = true;
    lua_pop(reader->L, 1);
}

static void read_texts(struct reader *reader, int index, struct schema_field *out)
{
    out->starts_with = get_text(reader, index, "starts_with");
    out->match = get_pattern(reader, index, "match");
    out->not_match = get_pattern(reader, index, "not_match");
    out->match_all = get_pattern_list(reader, index, "match_all");
    out->match_none = get_pattern_list(reader, index, "match_none");
    out->match_any = get_match_any(reader, index);
    out->error = get_text(reader, index, "err");
    out->description = get_text(reader, index, "description");
}

/* Constraints only: also what conditions are made of, which need no type. */
static void read_constraints(struct reader *reader, int index, struct schema_field *out)
{
    out->required = get_flag(reader, index, "required");
    out->unique = get_flag(reader, index, "unique");
    out->is_auto = get_flag(reader, index, "auto");
    out->uuid = get_flag(reader, index, "uuid");
    out->timestamp = get_flag(reader, index, "timestamp");
    out->immutable = get_flag(reader, index, "immutable");
    out->is_regex = get_flag(reader, index, "is_regex");
    out->referenceable = get_flag(reader, index, "referenceable");
    out->encrypted = get_flag(reader, index, "encrypted");
    read_values(reader, index, out);
    read_bounds(reader, index, out);
    read_texts(reader, index, out);
    if (push_member(reader, index, "custom_validator")) {
        out->validate_context = keep_function(reader, -1, NULL);
        out->validate = lua_schema_validate;
        lua_pop(reader->L, 1);
    }
}

static const struct schema_field *get_inner(struct reader *reader, int index, const char *name)
{
    if (!push_member(reader, index, name))
        return NULL;
    struct schema_field *field = allocate(reader, 1, sizeof(*field));
    enter(reader, name);
    read_field(reader, lua_gettop(reader->L), field);
    leave(reader);
    lua_pop(reader->L, 1);
    return field;
}

static void read_reference(struct reader *reader, int index, struct schema_field *out)
{
    const char *on_delete = get_text(reader, index, "on_delete");
    out->reference = get_text(reader, index, "reference");
    if (out->reference == NULL)
        refuse(reader, "a foreign field needs `reference`", "");
    if (on_delete == NULL || strcmp(on_delete, "restrict") == 0)
        out->on_delete = SCHEMA_RESTRICT;
    else if (strcmp(on_delete, "cascade") == 0)
        out->on_delete = SCHEMA_CASCADE;
    else if (strcmp(on_delete, "null") == 0)
        out->on_delete = SCHEMA_SET_NULL;
    else
        refuse(reader, "on_delete must be restrict, cascade or null, got ", on_delete);
}

static void read_field(struct reader *reader, int index, struct schema_field *out)
{
    struct schema_record *record = NULL;
    if (!lua_istable(reader->L, index))
        refuse(reader, "expected a table that describes the field, got a ",
               luaL_typename(reader->L, index));
    out->type = get_type(reader, index);
    read_constraints(reader, index, out);
    switch (out->type) {
    case SCHEMA_ARRAY:
    case SCHEMA_SET: out->elements = get_inner(reader, index, "elements"); break;
    case SCHEMA_MAP:
        out->keys = get_inner(reader, index, "keys");
        out->values = get_inner(reader, index, "values");
        break;
    case SCHEMA_RECORD:
        record = allocate(reader, 1, sizeof(*record));
        read_record(reader, index, record);
        out->record = record;
        break;
    case SCHEMA_FOREIGN: read_reference(reader, index, out); break;
    case SCHEMA_STRING:
    case SCHEMA_NUMBER:
    case SCHEMA_INTEGER:
    case SCHEMA_BOOLEAN:
    case SCHEMA_JSON:
    case SCHEMA_ANY:
    case SCHEMA_FUNCTION: break;
    }
}

/* The i-th (from 1) member of the array on top of the stack is {name = definition}: pushes the
 * definition over three slots (wrapper, name, definition). */
static const char *push_named(struct reader *reader, size_t i)
{
    lua_rawgeti(reader->L, -1, (int)i);
    if (!lua_istable(reader->L, -1))
        refuse(reader, "fields must be an array of {name = {...}}, found a ",
               luaL_typename(reader->L, -1));
    lua_pushnil(reader->L);
    if (lua_next(reader->L, -2) == 0 || lua_type(reader->L, -2) != LUA_TSTRING)
        refuse(reader, "fields must be an array of {name = {...}}, found a member without a name",
               "");
    return keep_text(reader, -2);
}

/* ----------------------------------------------------------------------------------- shorthands */
/* The path {"redis", "host"} on top of the stack as "redis.host". */
static const char *keep_path(struct reader *reader)
{
    lua_State *L = reader->L;
    size_t count = lua_istable(L, -1) ? lua_objlen(L, -1) : 0;
    if (count == 0)
        return NULL;
    int table = lua_gettop(L);
    lua_pushliteral(L, "");
    for (size_t i = 1; i <= count; i++) {
        lua_pushstring(L, i == 1 ? "" : ".");
        lua_rawgeti(L, table, (int)i);
        if (lua_type(L, -1) != LUA_TSTRING)
            refuse(reader, "a path of field names holds a ", luaL_typename(L, -1));
        lua_concat(L, 3);
    }
    const char *path = keep_text(reader, -1);
    lua_pop(L, 1);
    return path;
}

/* Where a shorthand's value goes, if it goes unchanged to one place: what the definition says, or
 * else what its func does with a sample. Leaves the stack as it was. */
static const char *find_target(struct reader *reader, int index, enum schema_type type)
{
    static const char probe[] =
        "local func, sample = ...\n"
        "local ok, result = pcall(func, sample)\n"
        "local path = {}\n"
        "while ok and type(result) == 'table' do\n"
        "  local key, value = next(result)\n"
        "  if type(key) ~= 'string' or next(result, key) ~= nil then return nil end\n"
        "  path[#path + 1] = key\n"
        "  result = value\n"
        "end\n"
        "return ok and #path > 0 and rawequal(result, sample) and path or nil\n";
    lua_State *L = reader->L;
    int top = lua_gettop(L);
    const char *path = NULL;
    if (push_member(reader, index, "translate_backwards")) {
        path = keep_path(reader);
    } else if (push_member(reader, index, "func") && luaL_loadstring(L, probe) == 0) {
        lua_insert(L, -2);
        if (type == SCHEMA_BOOLEAN)
            lua_pushboolean(L, 1);
        else if (type == SCHEMA_NUMBER || type == SCHEMA_INTEGER)
            lua_pushnumber(L, 7);
        else
            lua_pushliteral(L, "sample");
        lua_call(L, 2, 1);
        path = keep_path(reader);
    }
    lua_settop(L, top);
    return path;
}

/* Adds the shorthands of the table at `index` behind the fields of `out`, which has room. */
static void read_shorthands(struct reader *reader, int index, struct schema_field *fields,
                            size_t *count)
{
    if (!push_member(reader, index, "shorthand_fields"))
        return;
    size_t given = lua_objlen(reader->L, -1);
    for (size_t i = 1; i <= given; i++) {
        const char *name = push_named(reader, i);
        int definition = lua_gettop(reader->L);
        struct schema_field *field = &fields[*count];
        enter(reader, name);
        read_field(reader, definition, field);
        field->name = name;
        field->required = false;
        field->redirect = find_target(reader, definition, field->type);
        if (field->redirect != NULL)
            (*count)++;
        else
            warn(reader, "a shorthand that is no renaming is not supported; the field is unknown");
        leave(reader);
        lua_settop(reader->L, definition - 3);
    }
    lua_pop(reader->L, 1);
}

/* ------------------------------------------------------------------------------- entity checks */
static void read_conditional(struct reader *reader, int check, struct schema_check *out)
{
    const char **fields = allocate(reader, 3, sizeof(*fields));
    struct schema_field *if_match = allocate(reader, 1, sizeof(*if_match));
    struct schema_field *then_match = allocate(reader, 1, sizeof(*then_match));
    fields[0] = get_text(reader, check, "if_field");
    fields[1] = get_text(reader, check, "then_field");
    if (fields[0] == NULL || fields[1] == NULL)
        refuse(reader, "conditional", " needs if_field and then_field");
    if (push_member(reader, check, "if_match"))
        read_constraints(reader, lua_gettop(reader->L), if_match);
    if (push_member(reader, check, "then_match"))
        read_constraints(reader, lua_gettop(reader->L), then_match);
    out->type = SCHEMA_CONDITIONAL;
    out->fields = fields;
    out->if_match = if_match;
    out->then_match = then_match;
    out->then_error = get_text(reader, check, "then_err");
    lua_settop(reader->L, check);
}

static void read_custom_check(struct reader *reader, int check, struct schema_check *out)
{
    const char *const *sources = NULL;
    if (push_member(reader, check, "field_sources")) {
        sources = keep_texts(reader);
        lua_pop(reader->L, 1);
    }
    bool is_always_run = get_flag(reader, check, "run_with_missing_fields");
    lua_getfield(reader->L, check, "fn");
    out->type = SCHEMA_CUSTOM;
    out->context = keep_function(reader, -1, is_always_run ? NULL : sources);
    out->run = lua_schema_check;
    out->fields = get_flag(reader, check, "run_with_invalid_fields") ? NULL : sources;
    out->is_hidden = true;
    lua_pop(reader->L, 1);
}

/* A check that kong/db/schema/entity_checks.lua makes into a function. */
static void read_made_check(struct reader *reader, const char *name, int check,
                            struct schema_check *out)
{
    lua_State *L = reader->L;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "kong.db.schema.entity_checks");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    if (!lua_isfunction(L, -1))
        refuse(reader, "unknown entity check: ", name);
    lua_pushvalue(L, check);
    lua_call(L, 1, 1);
    out->type = SCHEMA_CUSTOM;
    out->context = keep_function(reader, -1, NULL);
    out->run = lua_schema_check;
    out->is_hidden = true;
    lua_settop(L, check);
}

static void read_check(struct reader *reader, const char *name, int check, struct schema_check *out)
{
    static const struct {
        const char *name;
        enum schema_check_type type;
    } lists[] = {
        {"at_least_one_of", SCHEMA_AT_LEAST_ONE_OF},
        {"only_one_of", SCHEMA_ONLY_ONE_OF},
        {"mutually_required", SCHEMA_MUTUALLY_REQUIRED},
        {"mutually_exclusive", SCHEMA_MUTUALLY_EXCLUSIVE},
        {"distinct", SCHEMA_DISTINCT},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (strcmp(lists[i].name, name) == 0) {
            out->type = lists[i].type;
            out->fields = keep_texts(reader);
            return;
        }
    }
    if (!lua_istable(reader->L, check))
        refuse(reader, name, " must be a table");
    if (strcmp(name, "conditional") == 0)
        read_conditional(reader, check, out);
    else if (strcmp(name, "custom_entity_check") == 0)
        read_custom_check(reader, check, out);
    else
        read_made_check(reader, name, check, out);
}

static void read_checks(struct reader *reader, int index, struct schema_record *out)
{
    if (!push_member(reader, index, "entity_checks"))
        return;
    size_t count = lua_objlen(reader->L, -1);
    struct schema_check *checks = allocate(reader, count, sizeof(*checks));
    for (size_t i = 0; i < count; i++) {
        const char *name = push_named(reader, i + 1);
        int definition = lua_gettop(reader->L);
        read_check(reader, name, definition, &checks[i]);
        lua_settop(reader->L, definition - 3);
    }
    out->checks = checks;
    out->check_count = count;
    lua_pop(reader->L, 1);
}

/* -------------------------------------------------------------------------------------- records */
static size_t count_of(struct reader *reader, int index, const char *name)
{
    lua_getfield(reader->L, index, name);
    size_t count = lua_istable(reader->L, -1) ? lua_objlen(reader->L, -1) : 0;
    lua_pop(reader->L, 1);
    return count;
}

/* `fields`, `shorthand_fields` and `entity_checks` of the table at `index`. One spare field is left
 * behind the last. */
static void read_record(struct reader *reader, int index, struct schema_record *out)
{
    size_t room =
        count_of(reader, index, "fields") + count_of(reader, index, "shorthand_fields") + 1;
    struct schema_field *fields = allocate(reader, room, sizeof(*fields));
    size_t count = 0;
    if (!push_member(reader, index, "fields") || !lua_istable(reader->L, -1))
        refuse(reader, "`fields` must be an array of {name = {...}}", "");
    size_t given = lua_objlen(reader->L, -1);
    for (; count < given; count++) {
        const char *name = push_named(reader, count + 1);
        int definition = lua_gettop(reader->L);
        enter(reader, name);
        read_field(reader, definition, &fields[count]);
        fields[count].name = name;
        leave(reader);
        lua_settop(reader->L, definition - 3);
    }
    lua_pop(reader->L, 1);
    read_shorthands(reader, index, fields, &count);
    out->fields = fields;
    out->field_count = count;
    read_checks(reader, index, out);
}

/* Every plugin has a `config` record, and a row without one gets its defaults. */
static void require_config(struct reader *reader, struct schema_record *record)
{
    union {
        const struct schema_field *shown;
        struct schema_field *ours;
    } fields = {record->fields}; /* read_record() made them, with a spare one at the end */
    size_t at = 0;
    while (at < record->field_count && strcmp(fields.ours[at].name, "config") != 0)
        at++;
    if (at == record->field_count) {
        fields.ours[at] = (struct schema_field){.name = "config", .type = SCHEMA_RECORD};
        fields.ours[at].record = allocate(reader, 1, sizeof(struct schema_record));
        record->field_count++;
    }
    if (fields.ours[at].type != SCHEMA_RECORD)
        refuse(reader, "`config` must be a record", "");
    fields.ours[at].required = true;
}

void lua_schema_read(lua_State *L, int index, struct lua_schema *out)
{
    struct reader reader = {.L = L, .out = out};
    luaL_checkstack(L, 12, "schema");
    read_record(&reader, index, &out->schema.record);
    require_config(&reader, &out->schema.record);
    if (push_member(&reader, index, "transformations")) {
        warn(&reader, "`transformations` are not supported and have no effect");
        lua_pop(L, 1);
    }
}
