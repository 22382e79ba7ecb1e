/* SPDX-License-Identifier: Apache-2.0 */
/* lua_binding.h -- the PDK for Lua: a client of pdk.h that puts `kong` and `ngx` into a Lua state.
 *
 * Includes pdk.h and LuaJIT only. Whoever runs handlers owns a struct lua_binding per Lua state and
 * says through it what runs now (`kong`, `req`, `phase`); the functions of `kong` find it as an
 * upvalue, so no closure is made per call or per request. One thread uses a state.
 *
 * A state has a memory limit (Lua errors beyond it) and an instruction budget per run. */
#ifndef SLUICE_PDK_LUA_BINDING_H
#define SLUICE_PDK_LUA_BINDING_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pdk.h"

/* Why a handler stopped before its end. */
enum lua_binding_stop {
    LUA_BINDING_RUNS,
    LUA_BINDING_EXITED,    /* kong.response.exit() or error(): the request has its answer */
    LUA_BINDING_SUSPENDED, /* to be resumed without arguments */
};

struct lua_binding_state; /* what one request keeps in Lua: kong.ctx, ngx.ctx */

struct lua_binding {
    const struct pdk *host; /* the table of the thread, without a plugin */
    lua_State *lua;
    char *path; /* package.path: the given one and LuaJIT's own */

    /* What runs now; set by the owner before each call into Lua. */
    const struct pdk *kong;  /* of the plugin; `host` between runs */
    struct pdk_request *req; /* NULL outside requests */
    unsigned phase;          /* a bit of enum pdk_phase; 0: none */
    double row;              /* identifies the plugin row, key of kong.ctx.plugin */
    lua_State *coroutine;    /* in which the handler runs; NULL: it may not yield */
    enum lua_binding_stop stop;

    uint64_t instructions; /* used by this run, in steps of the hook */
    uint64_t budget;
    bool is_over_budget;
    size_t memory_bytes;
    size_t memory_limit;
    struct lua_binding_state *spare; /* states of ended requests, for the next ones */
};

struct lua_binding_options {
    const struct pdk *host;
    const char *lua_path;  /* before LuaJIT's own path; kong/pdk.lua must be on it */
    const char *lua_cpath; /* before LuaJIT's own; may be NULL */
    size_t memory_limit;   /* bytes */
    uint64_t budget;       /* instructions of one run */
    bool is_jit_on;        /* the budget is not enforced in compiled code */
};

/* Makes a state with the standard library, `kong` and `ngx`. False: *error is a heap text. */
bool lua_binding_open(struct lua_binding *binding, const struct lua_binding_options *options,
                      char **error) __attribute__((warn_unused_result));
/* Closes the state. All-zero is allowed. */
void lua_binding_close(struct lua_binding *binding);

/* Starts a run: the budget is full again. */
void lua_binding_begin(struct lua_binding *binding, const struct pdk *kong, struct pdk_request *req,
                       unsigned phase, double row);
/* Ends it: `host` is current again. */
void lua_binding_end(struct lua_binding *binding);

/* Message handler for lua_pcall(): adds a traceback. Stays at index 1 of binding->lua's stack. */
enum { LUA_BINDING_TRACEBACK = 1 };
/* Message and traceback of a coroutine that failed; heap text, never NULL unless out of memory. */
char *lua_binding_failure(struct lua_binding *binding, lua_State *failed);
/* Calls fn(L) with `argument` as light userdata at index 1, inside a protected call with a full
 * traceback. False: *error is a heap text. */
bool lua_binding_protect(struct lua_binding *binding, lua_CFunction fn, void *argument,
                         char **error) __attribute__((warn_unused_result));

/* "access", "header_filter", ...: Kong's name of a phase bit; "none" for 0. */
const char *lua_binding_phase_name(unsigned phase);

#endif
