/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_lua.c -- Lua plugins behind struct plugin_vtable: running their handlers on a worker.
 *
 *   idle -> RUNNING -> ended         back to the pool                PDK_OK
 *           RUNNING -> exited        dropped: nobody resumes it      PDK_EXIT
 *           RUNNING -> failed        dropped, traceback to the log   PDK_ERROR
 *           RUNNING -> SUSPENDED     held by the request             PDK_SUSPEND
 *           SUSPENDED -> RUNNING     run() is called again for the same request and plugin
 *           SUSPENDED -> dropped     the request ended meanwhile
 *
 * That is the life of a coroutine, in which rewrite and access run. The handlers of other phases
 * are called on the main Lua thread. Pushing references and light values allocates nothing, so
 * run() itself needs no protected call. */
#include "plugin/plugin_lua.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/lua_schema.h"
#include "plugin/plugin_lua_load.h"
#include "plugin/worker_lua.h"

/* A plugin on a worker: plugin_worker->host. */
struct handler {
    int self;                  /* registry reference of what handler.lua returned */
    int phases[PLUGIN_PHASES]; /* of its functions; LUA_NOREF: none */
    int init_worker;
};

/* What a request holds of a suspended handler, under the plugin_worker's address in its ctx. Made
 * at the first suspension; lives until the request ends. */
struct suspension {
    struct worker_lua *lua;
    struct worker_lua_coroutine *coroutine; /* NULL: resumed since */
};

static const unsigned phase_bits[PLUGIN_PHASES] = {
    [PLUGIN_REWRITE] = PDK_PHASE_REWRITE,   [PLUGIN_ACCESS] = PDK_PHASE_ACCESS,
    [PLUGIN_RESPONSE] = PDK_PHASE_RESPONSE, [PLUGIN_HEADER] = PDK_PHASE_HEADER,
    [PLUGIN_BODY] = PDK_PHASE_BODY,         [PLUGIN_LOG] = PDK_PHASE_LOG,
};

/* ------------------------------------------------------------------------------------- errors */
/* Writes one line: the traceback's line ends become " | ". Takes `text`. */
static void log_failure(const struct plugin_worker *self, struct pdk_request *req, unsigned phase,
                        char *text)
{
    const char *reason = text != NULL ? text : "out of memory";
    size_t size = strlen(reason) * 3 + 64;
    char *line = malloc(size);
    if (line != NULL) {
        size_t at =
            (size_t)snprintf(line, size, "error in %s handler: ", lua_binding_phase_name(phase));
        for (const char *c = reason; *c != '\0'; c++) {
            if (*c == '\n') {
                memcpy(line + at, " | ", 3);
                at += 3;
            } else if (*c != '\t') {
                line[at++] = *c;
            }
        }
        self->kong->log->write(self->kong, req, PDK_ERR, (struct pdk_str){line, at});
    }
    free(line);
    free(text);
}

/* ------------------------------------------------------------------------------------ suspension
 */
static void end_suspension(void *value)
{
    struct suspension *suspension = value;
    if (suspension->coroutine != NULL) {
        suspension->lua->suspended_count--;
        worker_lua_drop(suspension->lua, suspension->coroutine);
    }
    free(suspension);
}

/* The coroutine that waits for this call, if there is one; its request no longer holds it. */
static struct worker_lua_coroutine *take_suspended(struct plugin_worker *self,
                                                   struct pdk_request *req)
{
    if (self->lua->suspended_count == 0)
        return NULL;
    struct suspension *suspension = self->kong->ctx->get(req, self);
    if (suspension == NULL || suspension->coroutine == NULL)
        return NULL;
    struct worker_lua_coroutine *coroutine = suspension->coroutine;
    suspension->coroutine = NULL;
    self->lua->suspended_count--;
    return coroutine;
}

static bool hold_suspended(struct plugin_worker *self, struct pdk_request *req,
                           struct worker_lua_coroutine *coroutine)
{
    struct suspension *suspension = self->kong->ctx->get(req, self);
    if (suspension == NULL) {
        suspension = calloc(1, sizeof(*suspension));
        if (suspension == NULL || !self->kong->ctx->set(req, self, suspension, end_suspension)) {
            free(suspension);
            return false;
        }
        suspension->lua = self->lua;
    }
    suspension->coroutine = coroutine;
    self->lua->suspended_count++;
    return true;
}

/* --------------------------------------------------------------------------------------- running
 */
static enum pdk_result on_yield(struct plugin_worker *self, struct pdk_request *req, unsigned phase,
                                struct worker_lua_coroutine *coroutine)
{
    switch (self->lua->binding.stop) {
    case LUA_BINDING_EXITED: worker_lua_drop(self->lua, coroutine); return PDK_EXIT;
    case LUA_BINDING_SUSPENDED:
        if (hold_suspended(self, req, coroutine))
            return PDK_SUSPEND;
        log_failure(self, req, phase, NULL);
        break;
    case LUA_BINDING_RUNS:
        log_failure(self, req, phase,
                    strdup("the handler called coroutine.yield() outside a coroutine of its own"));
        break;
    }
    worker_lua_drop(self->lua, coroutine);
    return PDK_ERROR;
}

static enum pdk_result resume(struct plugin_worker *self, struct pdk_request *req, unsigned phase,
                              struct worker_lua_coroutine *coroutine, int arguments)
{
    struct worker_lua *lua = self->lua;
    lua->binding.coroutine = coroutine->state;
    int status = lua_resume(coroutine->state, arguments);
    if (status == 0) {
        worker_lua_release(lua, coroutine);
        return lua->binding.stop == LUA_BINDING_EXITED ? PDK_EXIT : PDK_OK;
    }
    if (status == LUA_YIELD)
        return on_yield(self, req, phase, coroutine);
    bool has_exited = lua->binding.stop == LUA_BINDING_EXITED;
    if (!has_exited)
        log_failure(self, req, phase, lua_binding_failure(&lua->binding, coroutine->state));
    worker_lua_drop(lua, coroutine);
    return has_exited ? PDK_EXIT : PDK_ERROR;
}

static void push_call(lua_State *L, const struct handler *handler, int function, int conf)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, handler->self);
    lua_rawgeti(L, LUA_REGISTRYINDEX, conf);
}

static enum pdk_result run_coroutine(struct plugin_worker *self, enum plugin_phase phase,
                                     struct pdk_request *req, int conf)
{
    const struct handler *handler = self->host;
    struct worker_lua_coroutine *coroutine = take_suspended(self, req);
    if (coroutine != NULL)
        return resume(self, req, phase_bits[phase], coroutine, 0);
    coroutine = worker_lua_acquire(self->lua);
    if (coroutine == NULL) {
        log_failure(self, req, phase_bits[phase], NULL);
        return PDK_ERROR;
    }
    push_call(coroutine->state, handler, handler->phases[phase], conf);
    return resume(self, req, phase_bits[phase], coroutine, 2);
}

static enum pdk_result run_direct(struct plugin_worker *self, enum plugin_phase phase,
                                  struct pdk_request *req, int conf)
{
    const struct handler *handler = self->host;
    struct lua_binding *binding = &self->lua->binding;
    push_call(binding->lua, handler, handler->phases[phase], conf);
    if (lua_pcall(binding->lua, 2, 0, LUA_BINDING_TRACEBACK) == 0)
        return binding->stop == LUA_BINDING_EXITED ? PDK_EXIT : PDK_OK;
    bool has_exited = binding->stop == LUA_BINDING_EXITED;
    if (!has_exited) {
        const char *text =
            lua_type(binding->lua, -1) == LUA_TSTRING ? lua_tostring(binding->lua, -1) : NULL;
        log_failure(self, req, phase_bits[phase], strdup(text != NULL ? text : "(no message)"));
    }
    lua_pop(binding->lua, 1);
    return has_exited ? PDK_EXIT : PDK_ERROR;
}

static enum pdk_result run(struct plugin_worker *self, enum plugin_phase phase,
                           struct pdk_request *req, const struct plugin_config *config)
{
    enum pdk_result result = PDK_ERROR;
    char *error = NULL;
    int conf = LUA_NOREF;
    lua_binding_begin(&self->lua->binding, self->kong, req, phase_bits[phase],
                      (double)config->serial);
    if (!worker_lua_conf(self->lua, config, &conf, &error))
        log_failure(self, req, phase_bits[phase], error);
    else if (phase == PLUGIN_REWRITE || phase == PLUGIN_ACCESS)
        result = run_coroutine(self, phase, req, conf);
    else
        result = run_direct(self, phase, req, conf);
    lua_binding_end(&self->lua->binding);
    return result;
}

/* ----------------------------------------------------------------------------------- start, stop
 */
struct start {
    const char *name;
    struct handler *handler;
};

static int ref_method(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    if (lua_isfunction(L, -1))
        return luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    return LUA_NOREF;
}

static int load_handler(lua_State *L)
{
    struct start *start = lua_touserdata(L, 1);
    plugin_lua_load_require(L, start->name, "handler");
    if (!lua_istable(L, -1))
        return luaL_error(L, "handler.lua must return a table, got a %s", luaL_typename(L, -1));
    int table = lua_gettop(L);
    for (size_t i = 0; i < PLUGIN_PHASES; i++)
        start->handler->phases[i] = ref_method(L, table, lua_binding_phase_name(phase_bits[i]));
    start->handler->init_worker = ref_method(L, table, "init_worker");
    start->handler->self = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static int call_init_worker(lua_State *L)
{
    const struct handler *handler = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, handler->init_worker);
    lua_rawgeti(L, LUA_REGISTRYINDEX, handler->self);
    lua_call(L, 1, 0);
    return 0;
}

/* As in Kong, an init_worker that fails is reported and the plugin goes on: its handlers say
 * themselves what they miss. */
static bool worker_start(struct plugin_worker *self, struct worker_lua *lua, char **error)
{
    char *reason = NULL;
    struct handler *handler = calloc(1, sizeof(*handler));
    if (handler == NULL) {
        *error = strdup("out of memory");
        return false;
    }
    struct start start = {self->type->name, handler};
    self->lua = lua;
    self->host = handler;
    lua_binding_begin(&lua->binding, self->kong, NULL, PDK_PHASE_INIT_WORKER, 0);
    bool is_loaded = lua_binding_protect(&lua->binding, load_handler, &start, &reason);
    if (is_loaded && handler->init_worker != LUA_NOREF) {
        lua_binding_begin(&lua->binding, self->kong, NULL, PDK_PHASE_INIT_WORKER, 0);
        if (!lua_binding_protect(&lua->binding, call_init_worker, handler, &reason))
            log_failure(self, NULL, PDK_PHASE_INIT_WORKER, reason);
    } else if (!is_loaded) {
        if (asprintf(error, "plugin '%s': %s", self->type->name,
                     reason != NULL ? reason : "out of memory") < 0)
            *error = NULL;
        free(reason);
        free(handler);
        self->host = NULL;
    }
    lua_binding_end(&lua->binding);
    return is_loaded;
}

static void worker_stop(struct plugin_worker *self)
{
    struct handler *handler = self->host;
    if (handler == NULL)
        return;
    lua_State *L = self->lua->binding.lua;
    for (size_t i = 0; i < PLUGIN_PHASES; i++)
        luaL_unref(L, LUA_REGISTRYINDEX, handler->phases[i]);
    luaL_unref(L, LUA_REGISTRYINDEX, handler->init_worker);
    luaL_unref(L, LUA_REGISTRYINDEX, handler->self);
    free(handler);
    self->host = NULL;
}

/* Lua handlers get a table made from the JSON of the row, per worker; nothing is made ahead. */
static bool configure(const struct plugin_type *type, struct plugin_config *config, char **error)
{
    (void)type;
    (void)error;
    config->conf = NULL;
    return true;
}

void plugin_lua_unload(struct plugin_type *type)
{
    if (type == NULL)
        return;
    lua_schema_destroy(type->host);
    free(type->name);
    free(type->version);
    free(type->path);
    free(type);
}

const struct plugin_vtable plugin_lua_vtable = {
    .configure = configure,
    .worker_start = worker_start,
    .worker_stop = worker_stop,
    .run = run,
};
