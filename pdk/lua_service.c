/* SPDX-License-Identifier: Apache-2.0 */
/* lua_service.c -- kong.service, kong.service.request and kong.router: where the request goes and
 * what it looks like there. */
#include <lauxlib.h>

#include "lua_binding_function.h"

static bool is_one_of(struct pdk_str text, const char *const *names)
{
    for (; *names != NULL; names++)
        if (pdk_str_eq(text, pdk_str_of(*names)))
            return true;
    return false;
}

static int set_scheme(lua_State *L)
{
    static const char *const schemes[] = {"http", "https", "grpc", "grpcs", NULL};
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str scheme = lua_binding_string(L, 1, "scheme must be a string");
    if (!is_one_of(scheme, schemes))
        return luaL_error(L, "invalid scheme: %s", scheme.ptr);
    return lua_binding_result(L, self->kong->service_request->set_scheme(self->req, scheme));
}

static int set_path(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str path = lua_binding_string(L, 1, "path must be a string");
    if (path.len == 0 || path.ptr[0] != '/')
        return luaL_error(L, "path must start with /");
    return lua_binding_result(L, self->kong->service_request->set_path(self->req, path));
}

static int set_raw_query(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str query = lua_binding_string(L, 1, "query must be a string");
    return lua_binding_result(L, self->kong->service_request->set_raw_query(self->req, query));
}

static int set_method(lua_State *L)
{
    static const char *const methods[] = {
        "GET",  "HEAD",     "PUT",       "POST", "DELETE", "OPTIONS", "COPY",  "MKCOL",
        "MOVE", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "PATCH",   "TRACE", NULL};
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str method = lua_binding_string(L, 1, "method must be a string");
    if (!is_one_of(method, methods))
        return luaL_error(L, "invalid method: %s", method.ptr);
    return lua_binding_result(L, self->kong->service_request->set_method(self->req, method));
}

static int set_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    const struct pdk_service_request_api *api = self->kong->service_request;
    return lua_headers_put(L, self, api->set_header, api->add_header);
}

static int add_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    const struct pdk_service_request_api *api = self->kong->service_request;
    return lua_headers_put(L, self, api->add_header, api->add_header);
}

static int clear_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str name = lua_binding_string(L, 1, "header must be a string");
    return lua_binding_result(L, self->kong->service_request->clear_header(self->req, name));
}

static int set_raw_body(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str body = lua_binding_string(L, 1, "body must be a string");
    return lua_binding_result(L, self->kong->service_request->set_raw_body(self->req, body));
}

static int enable_buffering(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return lua_binding_result(L, self->kong->service_request->enable_buffering(self->req));
}

/* ------------------------------------------------------------------------------------- service */
static int set_target(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str host = lua_binding_string(L, 1, "host must be a string");
    int port = (int)lua_binding_integer(L, 2, "port", 0, 65535);
    return lua_binding_result(L, self->kong->service->set_target(self->req, host, port));
}

static int set_upstream(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str host = lua_binding_string(L, 1, "host must be a string");
    if (self->kong->service->set_upstream(self->req, host)) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushfstring(L, "could not find an Upstream named '%s'", host.ptr);
    return 2;
}

static int set_retries(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    int retries = (int)lua_binding_integer(L, 1, "retries", 0, 32767);
    return lua_binding_result(L, self->kong->service->set_retries(self->req, retries));
}

static int set_timeouts(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    int64_t connect_ms = lua_binding_integer(L, 1, "connect_timeout", 1, 2147483646);
    int64_t write_ms = lua_binding_integer(L, 2, "write_timeout", 1, 2147483646);
    int64_t read_ms = lua_binding_integer(L, 3, "read_timeout", 1, 2147483646);
    return lua_binding_result(
        L, self->kong->service->set_timeouts(self->req, connect_ms, write_ms, read_ms));
}

/* ----------------------------------------------------------------------------- router and plugin
 */
static int push_entity(lua_State *L, const struct pdk_entity *entity)
{
    if (entity == NULL)
        return 0;
    lua_binding_push(L, entity->json);
    return 1;
}

static int get_route(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return push_entity(L, self->kong->router->get_route(self->req));
}

static int get_service(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return push_entity(L, self->kong->router->get_service(self->req));
}

static int get_plugin_id(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    lua_binding_push(L, self->kong->plugin->get_id(self->req));
    return 1;
}

const struct lua_binding_function lua_service_functions[] = {
    {"service.request.set_scheme", set_scheme, LUA_BINDING_BEFORE},
    {"service.request.set_path", set_path, LUA_BINDING_BEFORE},
    {"service.request.set_raw_query", set_raw_query, LUA_BINDING_BEFORE},
    {"service.request.set_method", set_method, LUA_BINDING_BEFORE},
    {"service.request.set_header", set_header, LUA_BINDING_BEFORE},
    {"service.request.add_header", add_header, LUA_BINDING_BEFORE},
    {"service.request.clear_header", clear_header, LUA_BINDING_BEFORE},
    {"service.request.set_raw_body", set_raw_body, LUA_BINDING_BEFORE},
    {"service.request.enable_buffering", enable_buffering, LUA_BINDING_BEFORE},
    {"service.set_target", set_target, LUA_BINDING_BEFORE},
    {"service.set_upstream", set_upstream, PDK_PHASE_ACCESS},
    {"service.set_retries", set_retries, PDK_PHASE_ACCESS},
    {"service.set_timeouts", set_timeouts, PDK_PHASE_ACCESS},
    {"=router.get_route", get_route, LUA_BINDING_AUTH},
    {"=router.get_service", get_service, LUA_BINDING_AUTH},
    {"plugin.get_id", get_plugin_id, LUA_BINDING_REQUEST},
    {NULL, NULL, 0},
};
