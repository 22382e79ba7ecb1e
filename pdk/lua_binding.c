/* SPDX-License-Identifier: Apache-2.0 */
/* lua_binding.c -- a Lua state with the PDK in it: limits, registration, the phase check.
 *
 * The state allocates through allocate(), which enforces the memory limit, and counts instructions
 * in on_count(). Both find the binding without a global: it is the allocator's user data. Slots 1
 * and 2 of the main stack hold the traceback handler and a collector for the life of the state, so
 * that a call into a state that is out of memory needs no allocation. */
#include "lua_binding.h"

#include <lauxlib.h>
#include <luajit.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "lua_binding_function.h"

enum { HOOK_STEP = 10000, COLLECTOR = LUA_BINDING_TRACEBACK + 1 };

static const struct {
    unsigned phase;
    const char *name;
} phase_names[] = {
    {PDK_PHASE_INIT_WORKER, "init_worker"}, {PDK_PHASE_CERTIFICATE, "certificate"},
    {PDK_PHASE_REWRITE, "rewrite"},         {PDK_PHASE_ACCESS, "access"},
    {PDK_PHASE_RESPONSE, "response"},       {PDK_PHASE_HEADER, "header_filter"},
    {PDK_PHASE_BODY, "body_filter"},        {PDK_PHASE_LOG, "log"},
};

const char *lua_binding_phase_name(unsigned phase)
{
    for (size_t i = 0; i < sizeof(phase_names) / sizeof(phase_names[0]); i++)
        if (phase_names[i].phase == phase)
            return phase_names[i].name;
    return "none";
}

/* ------------------------------------------------------------------------------------- limits */
static void *allocate(void *user, void *ptr, size_t old_bytes, size_t new_bytes)
{
    struct lua_binding *self = user;
    if (ptr == NULL)
        old_bytes = 0;
    if (new_bytes == 0) {
        free(ptr);
        self->memory_bytes -= old_bytes;
        return NULL;
    }
    if (new_bytes > old_bytes && new_bytes - old_bytes > self->memory_limit - self->memory_bytes)
        return NULL;
    void *moved = realloc(ptr, new_bytes);
    if (moved == NULL)
        return new_bytes <= old_bytes ? ptr : NULL; /* Lua expects that shrinking succeeds */
    self->memory_bytes = self->memory_bytes - old_bytes + new_bytes;
    return moved;
}

/* Once the budget is used up, every further instruction fails: a pcall() in an endless loop must
 * not catch the error and go on. */
static void on_count(lua_State *L, lua_Debug *where)
{
    (void)where;
    void *user = NULL;
    lua_getallocf(L, &user);
    struct lua_binding *self = user;
    self->instructions += HOOK_STEP;
    if (self->instructions < self->budget)
        return;
    if (!self->is_over_budget)
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    self->is_over_budget = true;
    luaL_error(L, "stopped after %d million instructions (an endless loop?)",
               (int)(self->budget / 1000000));
}

static int on_collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

void lua_binding_begin(struct lua_binding *self, const struct pdk *kong, struct pdk_request *req,
                       unsigned phase, double row)
{
    self->kong = kong;
    self->req = req;
    self->phase = phase;
    self->row = row;
    self->stop = LUA_BINDING_RUNS;
    self->instructions = 0;
    if (self->is_over_budget) {
        self->is_over_budget = false;
        lua_sethook(self->lua, on_count, LUA_MASKCOUNT, HOOK_STEP);
    }
}

void lua_binding_end(struct lua_binding *self)
{
    self->kong = self->host;
    self->req = NULL;
    self->phase = 0;
    self->coroutine = NULL;
    /* Garbage of a run that hit the memory limit would make the next, innocent one fail. */
    if (self->memory_bytes > self->memory_limit / 4 * 3) {
        lua_pushvalue(self->lua, COLLECTOR);
        if (lua_pcall(self->lua, 0, 0, 0) != 0)
            lua_pop(self->lua, 1);
    }
}

/* ------------------------------------------------------------------------------------ failures */
static int on_error(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        if (lua_islightuserdata(L, 1))
            return 1; /* the end of a handler by exit(), not an error */
        if (luaL_callmeta(L, 1, "__tostring") == 0)
            lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
        lua_replace(L, 1);
    }
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING)
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

static char *copy_text(lua_State *L, int index)
{
    size_t len = 0;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
    return text != NULL ? strndup(text, len) : strdup("(no error message)");
}

struct failure {
    lua_State *failed;
    char *text;
};

static int describe_failure(lua_State *L)
{
    struct failure *failure = lua_touserdata(L, 1);
    lua_State *failed = failure->failed;
    const char *message = lua_type(failed, -1) == LUA_TSTRING ? lua_tostring(failed, -1) : NULL;
    if (message == NULL)
        message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(failed, -1));
    luaL_traceback(L, failed, message, 0);
    failure->text = copy_text(L, -1);
    return 0;
}

char *lua_binding_failure(struct lua_binding *self, lua_State *failed)
{
    struct failure failure = {failed, NULL};
    if (lua_cpcall(self->lua, describe_failure, &failure) != 0)
        lua_pop(self->lua, 1);
    if (failure.text == NULL) /* no memory left for a traceback */
        failure.text = copy_text(failed, -1);
    return failure.text;
}

struct call {
    lua_CFunction fn;
    void *argument;
};

static int call_protected(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, call->fn);
    lua_pushlightuserdata(L, call->argument);
    if (lua_pcall(L, 1, 0, 1) != 0)
        return lua_error(L);
    return 0;
}

bool lua_binding_protect(struct lua_binding *self, lua_CFunction fn, void *argument, char **error)
{
    struct call call = {fn, argument};
    if (lua_cpcall(self->lua, call_protected, &call) == 0)
        return true;
    *error = copy_text(self->lua, -1);
    lua_pop(self->lua, 1);
    return false;
}

/* ------------------------------------------------------------------------- what functions share */
const char *lua_binding_function_name(lua_State *L)
{
    const struct lua_binding_function *function = lua_touserdata(L, lua_upvalueindex(2));
    return function->name[0] == '=' ? function->name + 1 : function->name;
}

static int refuse_phase(lua_State *L, unsigned phase, unsigned allowed)
{
    luaL_Buffer text;
    if (phase == 0)
        return luaL_error(L, "kong.%s: no phase in ngx.ctx.KONG_PHASE",
                          lua_binding_function_name(L));
    luaL_buffinit(L, &text);
    for (size_t i = 0, shown = 0; i < sizeof(phase_names) / sizeof(phase_names[0]); i++) {
        if ((phase_names[i].phase & allowed) == 0)
            continue;
        luaL_addstring(&text, shown++ == 0 ? "" : ", ");
        luaL_addstring(&text, phase_names[i].name);
    }
    luaL_pushresult(&text);
    return luaL_error(L, "kong.%s: function cannot be called in %s phase (only in: %s)",
                      lua_binding_function_name(L), lua_binding_phase_name(phase),
                      lua_tostring(L, -1));
}

struct lua_binding *lua_binding_enter(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    const struct lua_binding_function *function = lua_touserdata(L, lua_upvalueindex(2));
    if ((self->phase & function->phases) == 0)
        refuse_phase(L, self->phase, function->phases);
    return self;
}

int lua_binding_result(lua_State *L, bool is_done)
{
    if (!is_done)
        return luaL_error(L, "kong.%s was refused by the gateway; its log has the reason",
                          lua_binding_function_name(L));
    return 0;
}

void lua_binding_push(lua_State *L, struct pdk_str text)
{
    if (text.ptr == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, text.ptr, text.len);
}

struct pdk_str lua_binding_string(lua_State *L, int index, const char *message)
{
    struct pdk_str text;
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s", message);
    text.ptr = lua_tolstring(L, index, &text.len);
    return text;
}

int64_t lua_binding_integer(lua_State *L, int index, const char *name, int64_t low, int64_t high)
{
    double value = lua_tonumber(L, index);
    if (lua_type(L, index) != LUA_TNUMBER || value != (double)(int64_t)value)
        return luaL_error(L, "%s must be an integer", name);
    if (value < (double)low || value > (double)high)
        return luaL_error(L, "%s must be an integer between %d and %d: given %f", name, (int)low,
                          (int)high, value);
    return (int64_t)value;
}

/* --------------------------------------------------------------------------------------- opening
 */
/* Pushes kong.<a>.<b> for "a.b.name", making the tables; *name moves to the last part. */
static void push_module(lua_State *L, int kong, const char **name)
{
    lua_pushvalue(L, kong);
    for (const char *dot; (dot = strchr(*name, '.')) != NULL; *name = dot + 1) {
        lua_pushlstring(L, *name, (size_t)(dot - *name));
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, -5);
        }
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
}

static void register_functions(lua_State *L, struct lua_binding *self, int kong, int native,
                               const struct lua_binding_function *functions)
{
    for (const struct lua_binding_function *f = functions; f->name != NULL; f++) {
        union {
            const void *given;
            void *light;
        } entry = {f}; /* Lua has no light pointer to const; nobody writes through it */
        const char *name = f->name;
        if (name[0] == '=') {
            lua_pushvalue(L, native);
            name++;
        } else {
            push_module(L, kong, &name);
        }
        lua_pushlightuserdata(L, self);
        lua_pushlightuserdata(L, entry.light);
        lua_pushcclosure(L, f->fn, 2);
        lua_setfield(L, -2, name);
        lua_pop(L, 1);
    }
}

/* package.<field> = the given path, then LuaJIT's own, where packaged modules are. A copy of it. */
static char *set_path(lua_State *L, const char *field, const char *given)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, field);
    if (given != NULL && *given != '\0') {
        lua_pushfstring(L, "%s%s%s", given, given[strlen(given) - 1] == ';' ? "" : ";",
                        lua_tostring(L, -1));
        lua_replace(L, -2);
    }
    char *copy = strdup(lua_tostring(L, -1));
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
    return copy;
}

struct opening {
    struct lua_binding *self;
    const struct lua_binding_options *options;
    int on_error, on_collect; /* out: references */
};

static int open_state(lua_State *L)
{
    struct opening *opening = lua_touserdata(L, 1);
    lua_pushboolean(L, 1); /* paths are what the configuration says, whoever started the gateway */
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    luaL_openlibs(L);
    /* The end of luaL_ref()'s free list, which would be made by the first luaL_unref(): that must
     * not allocate, because it runs outside protected calls. */
    lua_pushinteger(L, 0);
    lua_rawseti(L, LUA_REGISTRYINDEX, 0);
    if (luaJIT_setmode(L, 0,
                       LUAJIT_MODE_ENGINE |
                           (opening->options->is_jit_on ? LUAJIT_MODE_ON : LUAJIT_MODE_OFF)) == 0 &&
        opening->options->is_jit_on)
        return luaL_error(L, "this LuaJIT has no compiler; set lua_jit = off");
    opening->self->path = set_path(L, "path", opening->options->lua_path);
    free(set_path(L, "cpath", opening->options->lua_cpath));
    if (opening->self->path == NULL)
        return luaL_error(L, "out of memory");
    lua_getglobal(L, "tostring");
    lua_setfield(L, LUA_REGISTRYINDEX, "kong.tostring");
    lua_newtable(L);
    int kong = lua_gettop(L);
    lua_newtable(L);
    int native = lua_gettop(L);
    const struct lua_binding_function *const tables[] = {
        lua_request_functions, lua_service_functions, lua_response_functions, lua_node_functions,
        lua_text_functions};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        register_functions(L, opening->self, kong, native, tables[i]);
    lua_pushvalue(L, kong);
    lua_setglobal(L, "kong");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "kong.pdk");
    lua_call(L, 1, 1);
    lua_pushvalue(L, kong);
    lua_pushvalue(L, native);
    lua_call(L, 2, 0);
    lua_pushcfunction(L, on_error);
    opening->on_error = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, on_collect);
    opening->on_collect = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* Known-good arithmetic, table and string work, hot enough to be compiled. */
static const char jit_self_test[] =
    "local function work(n)\n"
    "  local t, sum, text = {}, 0, ''\n"
    "  for i = 1, n do\n"
    "    t[i] = i % 7 == 0 and -i or i * 0.5\n"
    "    sum = sum + (t[i] < 0 and 1 or t[i])\n"
    "    if i % 50 == 0 then text = text .. string.char(65 + i % 26) end\n"
    "  end\n"
    "  for i = n, 1, -1 do if t[i] < 0 then sum = sum - t[i] / 7 end end\n"
    "  return ('%.3f %s %d'):format(sum, text, #t)\n"
    "end\n"
    "jit.off(); local expected = work(400)\n"
    "jit.on(); for _ = 1, 200 do\n"
    "  local found = work(400)\n"
    "  if found ~= expected then\n"
    "    error('this LuaJIT compiles wrongly (' .. found .. ', expected ' .. expected ..\n"
    "      '); set lua_jit = off', 0)\n"
    "  end\n"
    "end\n";

static int run_self_test(lua_State *L)
{
    if (luaL_loadstring(L, jit_self_test) != 0)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

bool lua_binding_open(struct lua_binding *self, const struct lua_binding_options *options,
                      char **error)
{
    *self = (struct lua_binding){.host = options->host,
                                 .kong = options->host,
                                 .budget = options->budget,
                                 .memory_limit = options->memory_limit};
    self->lua = lua_newstate(allocate, self);
    if (self->lua == NULL) {
        *error = strdup("cannot make a Lua state: out of memory, or a LuaJIT without GC64");
        return false;
    }
    struct opening opening = {.self = self, .options = options};
    if (!lua_binding_protect(self, open_state, &opening, error) ||
        (options->is_jit_on && !lua_binding_protect(self, run_self_test, NULL, error))) {
        lua_binding_close(self);
        return false;
    }
    lua_rawgeti(self->lua, LUA_REGISTRYINDEX, opening.on_error);
    lua_rawgeti(self->lua, LUA_REGISTRYINDEX, opening.on_collect);
    lua_sethook(self->lua, on_count, LUA_MASKCOUNT, HOOK_STEP);
    return true;
}

void lua_binding_close(struct lua_binding *self)
{
    if (self->lua != NULL)
        lua_close(self->lua);
    self->lua = NULL;
    free(self->path);
    self->path = NULL;
    while (self->spare != NULL) {
        struct lua_binding_state *spare = self->spare;
        self->spare = spare->next;
        free(spare);
    }
}
