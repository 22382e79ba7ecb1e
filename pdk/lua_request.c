/* SPDX-License-Identifier: Apache-2.0 */
/* lua_request.c -- kong.request and kong.client: what is known of the request and its sender. */
#include <lauxlib.h>

#include "lua_binding_function.h"

/* A function of `kong` without arguments that returns text or a number. */
#define TEXT_GETTER(name, api, member)                                                             \
    static int name(lua_State *L)                                                                  \
    {                                                                                              \
        struct lua_binding *self = lua_binding_enter(L);                                           \
        lua_binding_push(L, self->kong->api->member(self->req));                                   \
        return 1;                                                                                  \
    }
#define NUMBER_GETTER(name, api, member)                                                           \
    static int name(lua_State *L)                                                                  \
    {                                                                                              \
        struct lua_binding *self = lua_binding_enter(L);                                           \
        lua_pushnumber(L, (lua_Number)self->kong->api->member(self->req));                         \
        return 1;                                                                                  \
    }

TEXT_GETTER(get_scheme, request, get_scheme)
TEXT_GETTER(get_host, request, get_host)
NUMBER_GETTER(get_port, request, get_port)
TEXT_GETTER(get_forwarded_scheme, request, get_forwarded_scheme)
TEXT_GETTER(get_forwarded_host, request, get_forwarded_host)
NUMBER_GETTER(get_forwarded_port, request, get_forwarded_port)
TEXT_GETTER(get_forwarded_path, request, get_forwarded_path)
TEXT_GETTER(get_forwarded_prefix, request, get_forwarded_prefix)
TEXT_GETTER(get_method, request, get_method)
TEXT_GETTER(get_path, request, get_path)
TEXT_GETTER(get_raw_path, request, get_raw_path)
TEXT_GETTER(get_path_with_query, request, get_path_with_query)
TEXT_GETTER(get_raw_query, request, get_raw_query)
NUMBER_GETTER(get_start_time, request, get_start_time)
TEXT_GETTER(get_id, request, get_id)
TEXT_GETTER(get_client_ip, client, get_ip)
TEXT_GETTER(get_client_forwarded_ip, client, get_forwarded_ip)
NUMBER_GETTER(get_client_port, client, get_port)
NUMBER_GETTER(get_client_forwarded_port, client, get_forwarded_port)
TEXT_GETTER(get_protocol, client, get_protocol)

static int get_http_version(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    int version = self->kong->request->get_http_version(self->req);
    if (version == 0)
        return 0;
    lua_pushnumber(L, (lua_Number)version / 10); /* 1, 1.1, 2 */
    return 1;
}

static int get_header(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str name = lua_binding_string(L, 1, "header name must be a string");
    struct pdk_str value = self->kong->request->get_header(self->req, name);
    if (value.ptr == NULL && memchr(name.ptr, '_', name.len) != NULL && name.len <= 256) {
        char dashed[256]; /* Kong treats "_" and "-" alike */
        for (size_t i = 0; i < name.len; i++)
            dashed[i] = name.ptr[i] == '_' ? '-' : name.ptr[i];
        name.ptr = dashed;
        value = self->kong->request->get_header(self->req, name);
    }
    lua_binding_push(L, value);
    return 1;
}

static int get_headers(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return lua_headers_push(L, self, self->kong->request->header_at);
}

static int get_query_arg(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    bool is_bare = false;
    struct pdk_str name = lua_binding_string(L, 1, "query argument name must be a string");
    struct pdk_str value = self->kong->request->get_query_arg(self->req, name, &is_bare);
    if (is_bare)
        lua_pushboolean(L, 1);
    else
        lua_binding_push(L, value);
    return 1;
}

static int get_query(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    size_t max = lua_headers_max(L, "max_args");
    struct pdk_str name, value;
    bool is_bare = false;
    lua_newtable(L);
    for (size_t i = 0; self->kong->request->query_at(self->req, i, &name, &value, &is_bare); i++) {
        if (i == max) {
            lua_pushliteral(L, "truncated");
            return 2;
        }
        lua_pushlstring(L, name.ptr, name.len);
        if (is_bare)
            lua_pushboolean(L, 1);
        else
            lua_pushlstring(L, value.ptr, value.len);
        lua_headers_collect(L);
    }
    return 1;
}

/* Returns true and the body, or false and a message; nothing at all after a suspension, in which
 * case the caller asks again: a C function cannot go on behind lua_yield(). */
static int get_raw_body(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str body = {NULL, 0};
    switch (self->kong->request->get_raw_body(self->req, &body)) {
    case PDK_OK:
        lua_pushboolean(L, 1);
        lua_pushlstring(L, body.ptr == NULL ? "" : body.ptr, body.len);
        return 2;
    case PDK_SUSPEND:
        if (self->coroutine != L)
            return luaL_error(L, "kong.request.get_raw_body must wait for the body and cannot: "
                                 "not called from the handler itself");
        self->stop = LUA_BINDING_SUSPENDED;
        return lua_yield(L, 0);
    case PDK_EXIT:
    case PDK_ERROR: break;
    }
    lua_pushboolean(L, 0);
    lua_pushliteral(L, "request body is larger than the limit, or the client went away");
    return 2;
}

static int get_uri_capture(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    const struct pdk_request_api *api = self->kong->request;
    if (lua_type(L, 1) == LUA_TNUMBER) {
        size_t index = (size_t)lua_tointeger(L, 1);
        lua_binding_push(L, api->get_uri_capture(self->req, index));
    } else {
        struct pdk_str name = lua_binding_string(L, 1, "capture name must be a string");
        lua_binding_push(L, api->get_uri_capture_named(self->req, name));
    }
    return 1;
}

/* -------------------------------------------------------------------------------------- client */
static int push_consumer(lua_State *L, const struct pdk_consumer *consumer)
{
    if (consumer == NULL)
        return 0;
    lua_binding_push(L, consumer->entity.json);
    return 1;
}

static int get_consumer(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    return push_consumer(L, self->kong->client->get_consumer(self->req));
}

static int get_credential(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    const struct pdk_credential *credential = self->kong->client->get_credential(self->req);
    if (credential == NULL)
        return 0;
    lua_binding_push(L, credential->entity.json);
    return 1;
}

static int load_consumer(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    struct pdk_str id = lua_binding_string(L, 1, "consumer_id must be a string");
    bool by_username = lua_toboolean(L, 2) != 0;
    return push_consumer(L, self->kong->client->load_consumer(self->req, id, by_username));
}

/* Copies an optional text argument into the request's memory. */
static struct pdk_str keep(lua_State *L, struct lua_binding *self, int index)
{
    struct pdk_str text = {NULL, 0};
    if (lua_type(L, index) != LUA_TSTRING)
        return text;
    const char *from = lua_tolstring(L, index, &text.len);
    char *copy = self->kong->ctx->alloc(self->req, text.len + 1);
    if (copy == NULL || from == NULL) {
        luaL_error(L, "out of memory");
        return text;
    }
    memcpy(copy, from, text.len);
    text.ptr = copy;
    return text;
}

static const struct pdk_consumer *make_consumer(lua_State *L, struct lua_binding *self, int from)
{
    struct pdk_str id = lua_binding_string(L, from, "consumer.id must be a string");
    const struct pdk_consumer *known = self->kong->client->load_consumer(self->req, id, false);
    if (known != NULL)
        return known;
    struct pdk_consumer *made = self->kong->ctx->alloc(self->req, sizeof(*made));
    if (made == NULL) {
        luaL_error(L, "out of memory");
        return NULL;
    }
    made->entity.size = sizeof(made->entity);
    made->entity.id = keep(L, self, from);
    made->entity.name = keep(L, self, from + 1);
    made->custom_id = keep(L, self, from + 2);
    made->entity.json = keep(L, self, from + 3);
    return made;
}

/* (consumer id | nil, username, custom_id, json, credential json | nil, credential id) */
static int authenticate(lua_State *L)
{
    struct lua_binding *self = lua_binding_enter(L);
    const struct pdk_consumer *consumer = NULL;
    struct pdk_credential *credential = NULL;
    lua_settop(L, 6);
    if (!lua_isnil(L, 1))
        consumer = make_consumer(L, self, 1);
    if (!lua_isnil(L, 5)) {
        credential = self->kong->ctx->alloc(self->req, sizeof(*credential));
        if (credential == NULL)
            return luaL_error(L, "out of memory");
        credential->entity.size = sizeof(credential->entity);
        credential->entity.json = keep(L, self, 5);
        credential->entity.id = keep(L, self, 6);
        credential->consumer = consumer;
    }
    return lua_binding_result(L, self->kong->client->authenticate(self->req, consumer, credential));
}

const struct lua_binding_function lua_request_functions[] = {
    {"request.get_scheme", get_scheme, LUA_BINDING_REQUEST},
    {"request.get_host", get_host, LUA_BINDING_REQUEST},
    {"request.get_port", get_port, LUA_BINDING_REQUEST},
    {"request.get_forwarded_scheme", get_forwarded_scheme, LUA_BINDING_REQUEST},
    {"request.get_forwarded_host", get_forwarded_host, LUA_BINDING_REQUEST},
    {"request.get_forwarded_port", get_forwarded_port, LUA_BINDING_REQUEST},
    {"request.get_forwarded_path", get_forwarded_path, LUA_BINDING_REQUEST},
    {"request.get_forwarded_prefix", get_forwarded_prefix, LUA_BINDING_REQUEST},
    {"request.get_http_version", get_http_version, LUA_BINDING_REQUEST},
    {"request.get_method", get_method, LUA_BINDING_REQUEST},
    {"request.get_path", get_path, LUA_BINDING_REQUEST},
    {"request.get_raw_path", get_raw_path, LUA_BINDING_REQUEST},
    {"request.get_path_with_query", get_path_with_query, LUA_BINDING_REQUEST},
    {"request.get_raw_query", get_raw_query, LUA_BINDING_REQUEST},
    {"request.get_query_arg", get_query_arg, LUA_BINDING_REQUEST},
    {"request.get_query", get_query, LUA_BINDING_REQUEST},
    {"request.get_header", get_header, LUA_BINDING_REQUEST},
    {"request.get_headers", get_headers, LUA_BINDING_REQUEST},
    {"=request.get_raw_body", get_raw_body, LUA_BINDING_BEFORE | PDK_PHASE_RESPONSE},
    {"request.get_start_time", get_start_time, LUA_BINDING_REQUEST},
    {"=request.get_uri_captures", get_uri_capture, LUA_BINDING_REQUEST},
    {"=request.get_id", get_id, LUA_BINDING_REQUEST},
    {"client.get_ip", get_client_ip, LUA_BINDING_REQUEST},
    {"client.get_forwarded_ip", get_client_forwarded_ip, LUA_BINDING_REQUEST},
    {"client.get_port", get_client_port, LUA_BINDING_REQUEST},
    {"client.get_forwarded_port", get_client_forwarded_port, LUA_BINDING_REQUEST},
    {"client.get_protocol", get_protocol, LUA_BINDING_AUTH},
    {"=client.get_consumer", get_consumer, LUA_BINDING_AUTH},
    {"=client.get_credential", get_credential, LUA_BINDING_AUTH},
    {"=client.load_consumer", load_consumer, LUA_BINDING_AUTH},
    {"=client.authenticate", authenticate, PDK_PHASE_ACCESS},
    {NULL, NULL, 0},
};
