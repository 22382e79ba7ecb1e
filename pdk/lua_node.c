/* SPDX-License-Identifier: Apache-2.0 */
/* lua_node.c -- kong.log, kong.ctx, kong.node and what ngx needs of the gateway: worker, time,
 * phase, sleep. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lua_binding_function.h"

/* ----------------------------------------------------------------------------------------- log */
static void push_as_text(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        lua_pushvalue(L, index);
        return;
    }
    lua_getfield(L, LUA_REGISTRYINDEX, "kong.tostring");
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
}

/* "handler.lua:12 " of the Lua code that called. */
static void push_position(lua_State *L)
{
    lua_Debug at;
    for (int level = 1; lua_getstack(L, level, &at) != 0; level++) {
        if (lua_getinfo(L, "Sl", &at) == 0 || at.currentline <= 0)
            continue;
        const char *slash = strrchr(at.short_src, '/');
        lua_pushfstring(L, "%s:%d ", slash == NULL ? at.short_src : slash + 1, at.currentline);
        return;
    }
    lua_pushliteral(L, "");
}

static int write_log(lua_State *L, enum pdk_log_level level, int first)
{
    struct lua_binding *self = lua_binding_self(L);
    struct pdk_str text;
    if (!self->kong->log->is_enabled(self->kong, level))
        return 0;
    int last = lua_gettop(L);
    luaL_checkstack(L, last + 4, "too many arguments to log");
    push_position(L);
    for (int i = first; i <= last; i++)
        push_as_text(L, i);
    lua_concat(L, last - first + 2);
    text.ptr = lua_tolstring(L, -1, &text.len);
    self->kong->log->write(self->kong, self->req, level, text);
    return 0;
}

#define LOG_FUNCTION(name, level)                                                                  \
    static int name(lua_State *L)                                                                  \
    {                                                                                              \
        return write_log(L, level, 1);                                                             \
    }
LOG_FUNCTION(log_debug, PDK_DEBUG)
LOG_FUNCTION(log_info, PDK_INFO)
LOG_FUNCTION(log_notice, PDK_NOTICE)
LOG_FUNCTION(log_warn, PDK_WARN)
LOG_FUNCTION(log_err, PDK_ERR)
LOG_FUNCTION(log_crit, PDK_CRIT)
LOG_FUNCTION(log_alert, PDK_ALERT)
LOG_FUNCTION(log_emerg, PDK_EMERG)

/* ngx.log(level, ...): nginx counts 0 (stderr), 1 (emerg) .. 8 (debug). */
static int ngx_log(lua_State *L)
{
    int level = lua_type(L, 1) == LUA_TNUMBER ? (int)lua_tointeger(L, 1) : -1;
    if (level < 0 || level > 8)
        return luaL_error(L, "bad log level: expected ngx.STDERR (0) to ngx.DEBUG (8)");
    return write_log(L, (enum pdk_log_level)(level == 0 ? PDK_EMERG : PDK_EMERG + 1 - level), 2);
}

static int serialize(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    lua_binding_push(L, self->kong->log->serialize(self->req));
    return 1;
}

/* (key, json | nil, mode) */
static int set_serialize_value(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str json = {NULL, 0};
    struct pdk_str key = lua_binding_string(L, 1, "key must be a string");
    struct pdk_str mode = lua_binding_string(L, 3, "mode must be a string");
    if (!lua_isnil(L, 2))
        json = lua_binding_string(L, 2, "value must be JSON text");
    return lua_binding_result(L, self->kong->log->set_serialize_value(self->req, key, json, mode));
}

/* ----------------------------------------------------------------------------------------- ctx */
static void end_state(void *value)
{
    struct lua_binding_state *state = value;
    struct lua_binding *self = state->binding;
    luaL_unref(self->lua, LUA_REGISTRYINDEX, state->ref);
    state->next = self->spare;
    self->spare = state;
}

/* The request's state, made at its first use. */
static struct lua_binding_state *find_state(lua_State *L, struct lua_binding *self)
{
    struct lua_binding_state *state = self->kong->ctx->get(self->req, self);
    if (state != NULL)
        return state;
    lua_newtable(L);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    state = self->spare;
    if (state != NULL)
        self->spare = state->next;
    else
        state = malloc(sizeof(*state));
    if (state != NULL) {
        *state = (struct lua_binding_state){.binding = self, .ref = ref};
        if (self->kong->ctx->set(self->req, self, state, end_state))
            return state;
        free(state);
    }
    luaL_unref(L, LUA_REGISTRYINDEX, ref);
    luaL_error(L, "out of memory");
    return NULL;
}

/* Pushes the member of the request's table whose key is on top of the stack, in its place. */
static void push_member(lua_State *L, struct lua_binding *self)
{
    struct lua_binding_state *state = find_state(L, self);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->ref);
    lua_pushvalue(L, -2);
    lua_rawget(L, -2); /* key table value */
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -3);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* __index of kong.ctx: shared and core by name, plugin by the row that runs. */
static int get_ctx(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    if (self->req == NULL || lua_type(L, 2) != LUA_TSTRING)
        return 0;
    const char *name = lua_tostring(L, 2);
    if (strcmp(name, "plugin") == 0)
        lua_pushnumber(L, self->row);
    else if (strcmp(name, "shared") == 0 || strcmp(name, "core") == 0)
        lua_pushvalue(L, 2);
    else
        return 0;
    push_member(L, self);
    return 1;
}

/* ngx.ctx, and its assignment. */
static int get_ngx_ctx(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    if (self->req == NULL)
        return luaL_error(L, "no request found: ngx.ctx belongs to a request");
    lua_pushliteral(L, "ngx");
    push_member(L, self);
    return 1;
}

static int set_ngx_ctx(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    if (self->req == NULL || !lua_istable(L, 1))
        return luaL_error(L, "ngx.ctx takes a table, within a request");
    lua_rawgeti(L, LUA_REGISTRYINDEX, find_state(L, self)->ref);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "ngx");
    return 0;
}

/* ---------------------------------------------------------------------------------------- node */
static int get_node_id(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    lua_binding_push(L, self->kong->node->get_id(self->kong));
    return 1;
}

static int get_hostname(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    lua_binding_push(L, self->kong->node->get_hostname(self->kong));
    return 1;
}

static int get_version(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    lua_binding_push(L, self->kong->node->get_version(self->kong));
    return 1;
}

static int get_configuration(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    if (lua_type(L, 1) != LUA_TSTRING)
        return 0;
    struct pdk_str key = lua_binding_string(L, 1, "key must be a string");
    lua_binding_push(L, self->kong->node->get_configuration(self->kong, key));
    return 1;
}

static int get_worker_id(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    lua_pushnumber(L, self->kong->node->get_worker_id(self->kong));
    return 1;
}

static int get_worker_count(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    lua_pushnumber(L, self->kong->node->get_worker_count(self->kong));
    return 1;
}

static int get_worker_pid(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)getpid());
    return 1;
}

static int is_exiting(lua_State *L)
{
    lua_pushboolean(L, lua_binding_self(L)->host->is_exiting);
    return 1;
}

/* Unix time in seconds, with milliseconds. */
static int get_now(lua_State *L)
{
    struct lua_binding *self = lua_binding_self(L);
    lua_pushnumber(L, (lua_Number)self->kong->node->now_ms(self->kong) / 1000);
    return 1;
}

static int get_phase(lua_State *L)
{
    unsigned phase = lua_binding_self(L)->phase;
    lua_pushstring(L, phase == 0 ? "init" : lua_binding_phase_name(phase));
    return 1;
}

static void on_wake(const struct pdk *kong, void *argument)
{
    kong->timer->resume(argument);
}

static int sleep_seconds(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    if (lua_type(L, 1) != LUA_TNUMBER || !(lua_tonumber(L, 1) >= 0))
        return luaL_error(L, "invalid sleep duration: expected seconds, 0 or more");
    double seconds = lua_tonumber(L, 1);
    int64_t delay_ms = seconds > 1e9 ? (int64_t)1e12 : (int64_t)(seconds * 1000);
    if (self->coroutine != L)
        return luaL_error(L, "ngx.sleep must be called from the handler itself, "
                             "not from a coroutine of its own");
    struct pdk_ticket *ticket = self->kong->timer->suspend(self->req);
    if (ticket == NULL)
        return luaL_error(L, "ngx.sleep: out of memory");
    if (!self->kong->timer->after(self->host, delay_ms, on_wake, ticket)) {
        self->kong->timer->resume(ticket); /* a ticket must be resumed; nobody waits for it */
        return luaL_error(L, "ngx.sleep: out of memory");
    }
    self->stop = LUA_BINDING_SUSPENDED;
    return lua_yield(L, 0);
}

const struct lua_binding_function lua_node_functions[] = {
    {"log.debug", log_debug, 0},
    {"log.info", log_info, 0},
    {"log.notice", log_notice, 0},
    {"log.warn", log_warn, 0},
    {"log.err", log_err, 0},
    {"log.crit", log_crit, 0},
    {"log.alert", log_alert, 0},
    {"log.emerg", log_emerg, 0},
    {"=log.serialize", serialize, PDK_PHASE_LOG},
    {"=log.set_serialize_value", set_serialize_value, LUA_BINDING_REQUEST},
    {"=ngx.log", ngx_log, 0},
    {"=ctx.get", get_ctx, 0},
    {"=ngx.get_ctx", get_ngx_ctx, 0},
    {"=ngx.set_ctx", set_ngx_ctx, 0},
    {"node.get_id", get_node_id, 0},
    {"node.get_hostname", get_hostname, 0},
    {"=node.get_version", get_version, 0},
    {"=node.get_configuration", get_configuration, 0},
    {"=worker.id", get_worker_id, 0},
    {"=worker.count", get_worker_count, 0},
    {"=worker.pid", get_worker_pid, 0},
    {"=worker.exiting", is_exiting, 0},
    {"=ngx.now", get_now, 0},
    {"=ngx.get_phase", get_phase, 0},
    {"=ngx.sleep", sleep_seconds, LUA_BINDING_BEFORE},
    {NULL, NULL, 0},
};
