/* SPDX-License-Identifier: Apache-2.0 */
/* lua_binding_function.h -- what the C files of the Lua binding share: the function tables with
 * their phases, and the helpers that every function begins with. Not for users of the binding. */
#ifndef SLUICE_PDK_LUA_BINDING_FUNCTION_H
#define SLUICE_PDK_LUA_BINDING_FUNCTION_H

#include "lua_binding.h"

/* One function of `kong`. The masks here are the only place where the Lua side knows phases. */
struct lua_binding_function {
    const char *name; /* "request.get_header"; with a leading "=": not in `kong` itself, but handed
                         to kong/pdk.lua, which wraps it under this name */
    lua_CFunction fn;
    unsigned phases; /* mask of enum pdk_phase; 0: anywhere, also without a request */
};

enum {
    LUA_BINDING_REQUEST = PDK_PHASE_REWRITE | PDK_PHASE_ACCESS | PDK_PHASE_RESPONSE |
                          PDK_PHASE_HEADER | PDK_PHASE_BODY | PDK_PHASE_LOG,
    LUA_BINDING_BEFORE = PDK_PHASE_REWRITE | PDK_PHASE_ACCESS, /* the upstream is asked */
    LUA_BINDING_SET = LUA_BINDING_BEFORE | PDK_PHASE_RESPONSE | PDK_PHASE_HEADER,
    LUA_BINDING_ANSWERED = PDK_PHASE_RESPONSE | PDK_PHASE_HEADER | PDK_PHASE_BODY | PDK_PHASE_LOG,
    LUA_BINDING_AUTH = PDK_PHASE_ACCESS | LUA_BINDING_ANSWERED,
};

/* Each ends with {0}. */
extern const struct lua_binding_function lua_request_functions[];
extern const struct lua_binding_function lua_service_functions[];
extern const struct lua_binding_function lua_response_functions[];
extern const struct lua_binding_function lua_node_functions[];
extern const struct lua_binding_function lua_text_functions[];

/* The binding of the running C function. */
static inline struct lua_binding *lua_binding_self(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* The same, after the phase check; raises a Lua error when the function is not allowed now. */
struct lua_binding *lua_binding_enter(lua_State *L);
/* "response.exit" of the running function. */
const char *lua_binding_function_name(lua_State *L);
/* Raises an error when the gateway refused a call; returns 0 results otherwise. */
int lua_binding_result(lua_State *L, bool is_done);

/* nil for absent text. */
void lua_binding_push(lua_State *L, struct pdk_str text);
/* Raises `message` unless argument `index` is a string. */
struct pdk_str lua_binding_string(lua_State *L, int index, const char *message);
/* Raises an error that starts with `name` unless the argument is an integer within the bounds. */
int64_t lua_binding_integer(lua_State *L, int index, const char *name, int64_t low, int64_t high);

/* What one request keeps in Lua; made by the first use of kong.ctx, kept in the request's ctx. */
struct lua_binding_state {
    struct lua_binding_state *next; /* of the spare ones */
    struct lua_binding *binding;
    int ref; /* registry: a table with the members ctx, shared, ngx and, by row, plugin tables */
};

/* ------------------------------------------------------------------------------- lua_headers.c */
typedef bool (*lua_headers_at)(struct pdk_request *req, size_t index, struct pdk_str *name,
                               struct pdk_str *value);
typedef bool (*lua_headers_put_fn)(struct pdk_request *req, struct pdk_str name,
                                   struct pdk_str value);
/* get_headers([max]): pushes the table (lower-case keys, arrays for repeats, look-ups in any case)
 * and, if there were more, "truncated". */
int lua_headers_push(lua_State *L, struct lua_binding *self, lua_headers_at at);
/* set_header(name, value) or add_header(name, value) with arguments 1 and 2: `first` is called for
 * the first value, `more` for those that follow in an array. */
int lua_headers_put(lua_State *L, struct lua_binding *self, lua_headers_put_fn first,
                    lua_headers_put_fn more);
/* Argument 1 of get_headers() and get_query(): 1..1000, 100 if absent. */
size_t lua_headers_max(lua_State *L, const char *name);
/* With a key and a value on top of a table: pops both, adds them; a repeated key's values become
 * an array in order. */
void lua_headers_collect(lua_State *L);

#endif
