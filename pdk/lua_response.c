/* SPDX-License-Identifier: Apache-2.0 */
/* lua_response.c -- kong.response and kong.service.response: the client's answer and the
 * upstream's, and the end of a handler by exit(). */
#include <lauxlib.h>

#include "lua_binding_function.h"

/* ------------------------------------------------------------------------------- what came back */
static int get_service_status(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    int status = self->kong->service_response->get_status(self->req);
    if (status == 0)
        return 0;
    lua_pushnumber(L, status);
    return 1;
}

static int get_service_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str name = lua_binding_string(L, 1, "name must be a string");
    lua_binding_push(L, self->kong->service_response->get_header(self->req, name));
    return 1;
}

static int get_service_headers(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return lua_headers_push(L, self, self->kong->service_response->header_at);
}

static int get_service_body(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str body = {NULL, 0};
    if (self->kong->service_response->get_raw_body(self->req, &body) != PDK_OK)
        return luaL_error(L, "service body is only available with buffered proxying "
                             "(see: kong.service.request.enable_buffering function)");
    lua_pushlstring(L, body.ptr == NULL ? "" : body.ptr, body.len);
    return 1;
}

/* --------------------------------------------------------------------------- what the client gets
 */
static int get_status(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    lua_pushnumber(L, self->kong->response->get_status(self->req));
    return 1;
}

static int get_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str name = lua_binding_string(L, 1, "header must be a string");
    lua_binding_push(L, self->kong->response->get_header(self->req, name));
    return 1;
}

static int get_headers(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return lua_headers_push(L, self, self->kong->response->header_at);
}

static int get_source(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    lua_binding_push(L, self->kong->response->get_source(self->req));
    return 1;
}

static int check_status(lua_State *L, int lowest)
{
    if (lua_type(L, 1) != LUA_TNUMBER)
        return luaL_error(L, "code must be a number");
    double status = lua_tonumber(L, 1);
    if (!(status >= lowest && status <= 599))
        return luaL_error(L, "code must be a number between %d and 599", lowest);
    return (int)status;
}

static int set_status(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    int status = check_status(L, 100);
    return lua_binding_result(L, self->kong->response->set_status(self->req, status));
}

static int set_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return lua_headers_put(L, self, self->kong->response->set_header,
                           self->kong->response->add_header);
}

static int add_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return lua_headers_put(L, self, self->kong->response->add_header,
                           self->kong->response->add_header);
}

static int clear_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str name = lua_binding_string(L, 1, "header must be a string");
    return lua_binding_result(L, self->kong->response->clear_header(self->req, name));
}

/* Ends the handler: in its own coroutine by a yield that nobody resumes, which no pcall() of the
 * plugin can catch; elsewhere by an error that the runner knows. */
static int stop_handler(lua_State *L, struct lua_binding *self, enum pdk_result result)
{
    if (result != PDK_EXIT)
        return lua_binding_result(L, false);
    self->stop = LUA_BINDING_EXITED;
    if (self->coroutine == L)
        return lua_yield(L, 0);
    lua_pushlightuserdata(L, self);
    return lua_error(L);
}

static struct pdk_str optional_text(lua_State *L, int index)
{
    struct pdk_str text = {NULL, 0};
    if (lua_type(L, index) == LUA_TSTRING)
        text.ptr = lua_tolstring(L, index, &text.len);
    return text;
}

/* (status, body text | nil) */
static int exit_with(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    int status = check_status(L, 100);
    return stop_handler(L, self,
                        self->kong->response->exit(self->req, status, optional_text(L, 2)));
}

/* (status, message | nil) */
static int error_with(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    int status = check_status(L, 400);
    return stop_handler(L, self,
                        self->kong->response->error(self->req, status, optional_text(L, 2)));
}

/* ---------------------------------------------------------------------------------------- body */
/* Text of the chunk and whether it is the last. */
static int get_chunk(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    bool is_last = false;
    struct pdk_str chunk = self->kong->response->get_chunk(self->req, &is_last);
    lua_pushlstring(L, chunk.ptr == NULL ? "" : chunk.ptr, chunk.len);
    lua_pushboolean(L, is_last);
    return 2;
}

static int set_chunk(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str chunk =
        lua_isnil(L, 1) ? PDK_STR("") : lua_binding_string(L, 1, "chunk must be a string");
    return lua_binding_result(L, self->kong->response->set_chunk(self->req, chunk));
}

static int get_raw_body(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    lua_binding_push(L, self->kong->response->get_raw_body(self->req));
    return 1;
}

static int set_raw_body(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str body = lua_binding_string(L, 1, "body must be a string");
    return lua_binding_result(L, self->kong->response->set_raw_body(self->req, body));
}

enum { GET = LUA_BINDING_ANSWERED }; /* shorter rows below */

const struct lua_binding_function lua_response_functions[] = {
    {"service.response.get_status", get_service_status, GET},
    {"service.response.get_header", get_service_header, GET},
    {"service.response.get_headers", get_service_headers, GET},
    {"service.response.get_raw_body", get_service_body, GET},
    {"response.get_status", get_status, GET},
    {"response.get_header", get_header, GET},
    {"response.get_headers", get_headers, GET},
    {"response.get_source", get_source, GET},
    {"response.set_status", set_status, LUA_BINDING_SET},
    {"response.set_header", set_header, LUA_BINDING_SET},
    {"response.add_header", add_header, LUA_BINDING_SET},
    {"response.clear_header", clear_header, LUA_BINDING_SET},
    {"=response.exit", exit_with, LUA_BINDING_SET},
    {"=response.error", error_with, LUA_BINDING_SET},
    {"=response.get_chunk", get_chunk, PDK_PHASE_BODY},
    {"=response.set_chunk", set_chunk, PDK_PHASE_BODY},
    {"response.get_raw_body", get_raw_body, PDK_PHASE_BODY},
    {"response.set_raw_body", set_raw_body, PDK_PHASE_BODY},
    {NULL, NULL, 0},
};
