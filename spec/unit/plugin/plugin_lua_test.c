/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of runtime/plugin/plugin_lua.c, worker_lua.c and plugin_lua_load.c with pdk/lua_*.c:
 * handlers are written to a directory of their own and run against the tables of fake_pdk.h. Run
 * from the top of the source tree, where pdk/lua is. */
#include "plugin/plugin_lua.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/schema.h"
#include "fake_pdk.h"
#include "plugin/worker_lua.h"

#define HEAD "local P = { PRIORITY = 10, VERSION = '1.0.0' }\n"

struct fixture {
    char directory[64];
    char lua_path[512];
    struct plugin_search search;
    struct pdk_worker worker;
    struct pdk kong;        /* of the worker */
    struct pdk plugin_kong; /* of the plugin */
    struct pdk_request req;
    struct plugin_type *type;
    struct plugin_worker plugin;
    struct plugin_config config;
    struct worker_lua *lua;
};

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/unit/%s", f->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[128];
    assert_non_null(f);
    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/plugin_lua_test.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(path, sizeof(path), "%s/unit", f->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(f->lua_path, sizeof(f->lua_path),
                   "%s/?.lua;./plugins-lua/?.lua;./pdk/lua/?.lua;./pdk/lua/?/init.lua",
                   f->directory);
    f->search.lua_path = f->lua_path;
    f->search.lua_cpath = "";
    f->worker.now_ms = 1700000000123;
    f->kong = fake_pdk(&f->worker);
    f->plugin_kong = fake_pdk(&f->worker);
    f->plugin_kong.plugin_name = "unit";
    f->config.serial = 1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[256];
    fake_end(&f->req);
    if (f->plugin.host != NULL)
        plugin_lua_vtable.worker_stop(&f->plugin);
    worker_lua_destroy(f->lua);
    plugin_lua_unload(f->type);
    json_decref(f->config.json);
    static const char *const names[] = {"handler.lua", "schema.lua"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/unit/%s", f->directory, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof(path), "%s/unit", f->directory);
    (void)rmdir(path);
    (void)rmdir(f->directory);
    free(f);
    return 0;
}

static enum plugin_lua_load_result load(struct fixture *f, const char *name, char **error)
{
    char *not_found = NULL;
    enum plugin_lua_load_result result =
        plugin_lua_load(name, &f->search, &f->kong, NULL, &f->type, &not_found, error);
    if (not_found != NULL)
        *error = not_found;
    return result;
}

/* Loads the plugin "unit" with this handler and starts it on a worker. */
static void start(struct fixture *f, const char *handler)
{
    char *error = NULL;
    write_file(f, "handler.lua", handler);
    enum plugin_lua_load_result result = load(f, "unit", &error);
    if (result != PLUGIN_LUA_LOADED)
        fail_msg("%s", error);
    f->lua = worker_lua_create(&f->kong, &f->search, false, &error);
    if (f->lua == NULL)
        fail_msg("%s", error);
    f->plugin.type = f->type;
    f->plugin.kong = &f->plugin_kong;
    f->config.type = f->type;
    if (!plugin_lua_vtable.worker_start(&f->plugin, f->lua, &error))
        fail_msg("%s", error);
}

static enum pdk_result run(struct fixture *f, enum plugin_phase phase)
{
    return plugin_lua_vtable.run(&f->plugin, phase, &f->req, &f->config);
}

static void assert_header(const struct fake_headers *headers, const char *name, const char *value)
{
    struct pdk_str found = fake_find(headers, pdk_str_of(name));
    assert_non_null(found.ptr);
    assert_string_equal(found.ptr, value);
}

static void assert_logged(const struct fixture *f, const char *text)
{
    if (strstr(f->worker.log, text) == NULL)
        fail_msg("not in the log: %s\n%s", text, f->worker.log);
}

/* --------------------------------------------------------------------------------------- loading
 */
static void a_missing_plugin_names_every_path(void **state)
{
    struct fixture *f = *state;
    char *tried = NULL;
    assert_int_equal(load(f, "absent", &tried), PLUGIN_LUA_NOT_FOUND);
    assert_non_null(strstr(tried, "./plugins-lua/kong/plugins/absent/handler.lua\n"));
    assert_non_null(strstr(tried, "./plugins-lua/absent/handler.lua\n"));
    free(tried);
}

static void a_name_that_is_a_path_is_not_found(void **state)
{
    struct fixture *f = *state;
    char *tried = NULL;
    assert_int_equal(load(f, "../hello-header", &tried), PLUGIN_LUA_NOT_FOUND);
    free(tried);
}

static void a_broken_handler_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *handler, *reason;
    } cases[] = {
        {"return 1", "handler.lua must return a table, got a number"},
        {"return { VERSION = '1.0.0' }", "no PRIORITY: expected an integer, got nil"},
        {"return { PRIORITY = 1.5, VERSION = '1' }", "no PRIORITY: expected an integer, got 1.5"},
        {"return { PRIORITY = 1 }", "no VERSION"},
        {"return {", "unexpected symbol"},
        {"error('no way')", "no way"},
        {"while true do end", "stopped after 100 million instructions"},
        {"return { PRIORITY = 1, VERSION = '1', response = print, body_filter = print }",
         "cannot be combined"},
        {"\n\nlocal x = require 'resty.absent'",
         "unit/handler.lua:3: module 'resty.absent' not found"},
        {"\n\nlocal x = require 'resty.absent'", "./pdk/lua/resty/absent.lua"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *error = NULL;
        write_file(f, "handler.lua", cases[i].handler);
        assert_int_equal(load(f, "unit", &error), PLUGIN_LUA_FAILED);
        assert_non_null(strstr(error, "plugin 'unit' ("));
        if (strstr(error, cases[i].reason) == NULL)
            fail_msg("expected \"%s\" in: %s", cases[i].reason, error);
        free(error);
    }
}

static void a_handler_declares_order_phases_and_scopes(void **state)
{
    struct fixture *f = *state;
    start(f, "local P = { PRIORITY = -5, VERSION = '2.1.0', no_consumer = true }\n"
             "function P:access() end function P:log() end return P");
    assert_int_equal(f->type->priority, -5);
    assert_string_equal(f->type->version, "2.1.0");
    assert_int_equal(f->type->flags, PLUGIN_NO_CONSUMER);
    assert_int_equal(f->type->phases, 1 << PLUGIN_ACCESS | 1 << PLUGIN_LOG);
}

/* --------------------------------------------------------------------------------------- running
 */
static void the_sample_plugin_greets_upstream_and_client(void **state)
{
    struct fixture *f = *state;
    char *error = NULL;
    assert_int_equal(load(f, "hello-header", &error), PLUGIN_LUA_LOADED);
    f->lua = worker_lua_create(&f->kong, &f->search, false, &error);
    assert_non_null(f->lua);
    f->plugin = (struct plugin_worker){.type = f->type, .kong = &f->plugin_kong};
    f->config.json = json_pack("{s:s,s:s,s:s,s:n}", "greeting", "hi", "request_header", "X-To",
                               "response_header", "X-From", "name_consumer");
    assert_true(plugin_lua_vtable.worker_start(&f->plugin, f->lua, &error));
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_int_equal(run(f, PLUGIN_HEADER), PDK_OK);
    assert_header(&f->req.to_service, "X-To", "hi");
    assert_header(&f->req.to_client, "X-From", "hi");
}

static void exit_ends_the_handler_where_it_is_called(void **state)
{
    struct fixture *f = *state;
    start(f,
          HEAD "function P:access()\n"
               "  pcall(kong.response.exit, 403, { message = 'no' }, { ['X-Why'] = 'because' })\n"
               "  kong.service.request.set_header('X-After', '1')\n"
               "end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_EXIT);
    assert_int_equal(f->req.exit_status, 403);
    assert_string_equal(f->req.exit_body, "{\"message\":\"no\"}");
    assert_header(&f->req.to_client, "Content-Type", "application/json; charset=utf-8");
    assert_header(&f->req.to_client, "X-Why", "because");
    assert_int_equal(f->req.to_service.count, 0);
}

static void exit_in_header_filter_ends_the_handler_too(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:header_filter()\n"
                  "  kong.response.exit(204)\n"
                  "  kong.response.set_header('X-After', '1')\n"
                  "end return P");
    assert_int_equal(run(f, PLUGIN_HEADER), PDK_EXIT);
    assert_int_equal(f->req.exit_status, 204);
    assert_int_equal(f->req.to_client.count, 0);
    assert_string_equal(f->worker.log, "");
}

static void an_error_is_logged_with_a_traceback_and_disturbs_nothing(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "local function inner() error('broken') end\n"
                  "function P:access(conf) if conf.fail then inner() end end\n"
                  "function P:log(conf) local nothing; return nothing.member end return P");
    f->config.json = json_pack("{s:b}", "fail", 1);
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_ERROR);
    assert_logged(f, "4 [unit] error in access handler: ");
    assert_logged(f, "unit/handler.lua:2: broken | stack traceback:");
    assert_int_equal(run(f, PLUGIN_LOG), PDK_ERROR);
    assert_logged(f, "error in log handler: ");
    assert_logged(f, "attempt to index local 'nothing'");
    struct plugin_config other = {.serial = 2, .type = f->type};
    assert_int_equal(plugin_lua_vtable.run(&f->plugin, PLUGIN_ACCESS, &f->req, &other), PDK_OK);
}

static void an_error_that_is_a_table_is_survived(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access() error({}) end function P:log() error() end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_ERROR);
    assert_int_equal(run(f, PLUGIN_LOG), PDK_ERROR);
    assert_logged(f, "(error object is a table value)");
}

static void an_endless_loop_is_stopped_even_around_pcall(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access()\n"
                  "  while true do pcall(function() while true do end end) end\n"
                  "end\n"
                  "function P:log() kong.log.err('fine') end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_ERROR);
    assert_logged(f, "stopped after 100 million instructions");
    assert_int_equal(run(f, PLUGIN_LOG), PDK_OK);
    assert_logged(f, "fine");
}

static void memory_without_end_is_an_error_and_comes_back(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access()\n"
                  "  local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end\n"
                  "end\n"
                  "function P:log() end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_ERROR);
    assert_logged(f, "not enough memory");
    assert_int_equal(run(f, PLUGIN_LOG), PDK_OK);
    assert_true(worker_lua_memory(f->lua) < 16 << 20);
}

/* Wherever in a run memory ends, that run fails and nothing else does. */
static void running_out_of_memory_anywhere_is_survived(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access(conf)\n"
                  "  kong.ctx.plugin.headers = kong.request.get_headers()\n"
                  "  kong.response.exit(200, { text = conf.text, list = { 1, 2, 3 } })\n"
                  "end\n"
                  "function P:log() kong.log.err(('x'):rep(100), kong.ctx.plugin) end return P");
    f->config.json = json_pack("{s:s}", "text", "some text of the configuration");
    struct lua_binding *binding = &f->lua->binding;
    int failed = 0;
    for (size_t spare = 0; spare < 8000; spare += 16) {
        f->config.serial++;
        f->worker.log[0] = '\0';
        binding->memory_limit = binding->memory_bytes + spare;
        failed += run(f, PLUGIN_ACCESS) == PDK_ERROR;
        (void)run(f, PLUGIN_LOG);
        binding->memory_limit = PLUGIN_LUA_MEMORY_BYTES;
        fake_end(&f->req);
        lua_gc(binding->lua, LUA_GCCOLLECT, 0);
    }
    assert_in_range(failed, 1, 499);
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_EXIT);
}

static void a_state_that_cannot_be_made_is_an_error(void **state)
{
    struct fixture *f = *state;
    bool is_made = false;
    /* LuaJIT itself does not survive less than the first number. */
    for (size_t limit = 32 * 1024; limit < 512 * 1024; limit += 2048) {
        struct lua_binding binding;
        struct lua_binding_options options = {.host = &f->kong,
                                              .lua_path = f->lua_path,
                                              .memory_limit = limit,
                                              .budget = PLUGIN_LUA_INSTRUCTIONS};
        char *error = NULL;
        is_made = lua_binding_open(&binding, &options, &error);
        if (is_made)
            lua_binding_close(&binding);
        else
            assert_non_null(error);
        free(error);
    }
    assert_true(is_made);
}

static void recursion_without_end_is_an_error(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "local function f() return 1 + f() end\n"
                  "function P:access() f() end function P:log() f() end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_ERROR);
    assert_int_equal(run(f, PLUGIN_LOG), PDK_ERROR);
    assert_logged(f, "stack overflow");
}

static void a_yield_outside_a_coroutine_of_its_own_is_an_error(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access() coroutine.yield(1) end\n"
                  "function P:log() coroutine.yield(1) end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_ERROR);
    assert_logged(f, "coroutine.yield() outside a coroutine");
    assert_int_equal(run(f, PLUGIN_LOG), PDK_ERROR);
}

/* ------------------------------------------------------------------------------------ suspension
 */
static void a_handler_waits_for_the_body_and_goes_on(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access()\n"
                  "  local before = 'seen '\n"
                  "  local body = kong.request.get_raw_body()\n"
                  "  kong.service.request.set_header('X-Body', before .. body)\n"
                  "end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_SUSPEND);
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_SUSPEND); /* resumed, and still not there */
    f->req.is_body_there = true;
    f->req.body = PDK_STR("text");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_header(&f->req.to_service, "X-Body", "seen text");
}

static void sleep_takes_a_ticket_and_a_timer_resumes_it(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access()\n"
                  "  ngx.sleep(0.25)\n"
                  "  kong.response.exit(200, 'slept')\n"
                  "end return P");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_SUSPEND);
    assert_int_equal(f->worker.timer_count, 1);
    assert_int_equal(f->worker.timers[0].delay_ms, 250);
    f->worker.timers[0].fn(&f->kong, f->worker.timers[0].argument);
    assert_true(f->req.ticket.is_resumed);
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_EXIT);
    assert_string_equal(f->req.exit_body, "slept");
}

static void a_request_that_dies_drops_its_suspended_handler(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access() kong.request.get_raw_body() end return P");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(f, PLUGIN_ACCESS), PDK_SUSPEND);
        fake_end(&f->req);
    }
    f->req.is_body_there = true;
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
}

static void waiting_where_one_cannot_is_an_error(void **state)
{
    struct fixture *f = *state;
    start(f,
          HEAD "function P:log() ngx.sleep(1) end\n"
               "function P:access() assert(coroutine.resume(coroutine.create(ngx.sleep), 1)) end\n"
               "return P");
    assert_int_equal(run(f, PLUGIN_LOG), PDK_ERROR);
    assert_logged(f, "kong.ngx.sleep: function cannot be called in log phase (only in: rewrite, "
                     "access)");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_ERROR);
    assert_int_equal(f->worker.timer_count, 0);
}

/* ------------------------------------------------------------------------------------------- PDK
 */
static void a_function_outside_its_phases_names_them(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:init_worker() kong.request.get_method() end\n"
                  "function P:log() kong.service.request.set_path('/x') end return P");
    assert_logged(f, "kong.request.get_method: function cannot be called in init_worker phase");
    assert_int_equal(run(f, PLUGIN_LOG), PDK_ERROR);
    assert_logged(f, "kong.service.request.set_path: function cannot be called in log phase "
                     "(only in: rewrite, access)");
}

/* A handler that runs assertions in Lua; any failure is a Lua error and thus PDK_ERROR. */
static void assert_in_lua(struct fixture *f, enum plugin_phase phase, const char *body)
{
    char handler[4096];
    (void)snprintf(handler, sizeof(handler),
                   HEAD
                   "local function eq(a, b) if a ~= b then error(tostring(a) .. ' ~= ' .. "
                   "tostring(b), 2) end end\n"
                   "local function fails(text, fn, ...) local ok, err = pcall(fn, ...)\n"
                   "  if ok or not tostring(err):find(text, 1, true) then error('expected ' .. "
                   "text .. ', got ' .. tostring(err), 2) end end\n"
                   "function P:%s(conf)\n%s\nend return P",
                   phase == PLUGIN_BODY  ? "body_filter"
                   : phase == PLUGIN_LOG ? "log"
                                         : "access",
                   body);
    start(f, handler);
    if (run(f, phase) != PDK_OK)
        fail_msg("%s", f->worker.log);
}

static void headers_are_found_in_any_case(void **state)
{
    struct fixture *f = *state;
    fake_put(&f->req.in, PDK_STR("X-Multi"), PDK_STR("a"));
    fake_put(&f->req.in, PDK_STR("X-Multi"), PDK_STR("b"));
    fake_put(&f->req.in, PDK_STR("x-multi"), PDK_STR("c"));
    fake_put(&f->req.in, PDK_STR("Content-Type"), PDK_STR("text/plain"));
    assert_in_lua(f, PLUGIN_ACCESS,
                  "eq(kong.request.get_header('content_type'), 'text/plain')\n"
                  "eq(kong.request.get_header('absent'), nil)\n"
                  "local h, truncated = kong.request.get_headers()\n"
                  "eq(truncated, nil) eq(h['Content-Type'], 'text/plain')\n"
                  "eq(h.content_type, 'text/plain') eq(h.absent, nil)\n"
                  "eq(table.concat(h['x-multi'], ','), 'a,b,c')\n"
                  "eq(select(2, kong.request.get_headers(2)), 'truncated')\n"
                  "fails('max_headers must be <= 1000', kong.request.get_headers, 1001)\n"
                  "fails('header name must be a string', kong.request.get_header, 1)");
}

static void query_arguments_keep_repeats_and_bare_names(void **state)
{
    struct fixture *f = *state;
    assert_in_lua(
        f, PLUGIN_ACCESS,
        "local q = kong.request.get_query()\n"
        "eq(table.concat(q.a, ','), '1,2') eq(q.b, true)\n"
        "eq(ngx.encode_args({ b = true, a = { 1, 'x y' }, c = false }), 'a=1&a=x%20y&b')\n"
        "eq(ngx.decode_args('k=a%20b&k=c&z').k[1], 'a b')");
}

static void wrong_arguments_raise_kongs_errors(void **state)
{
    struct fixture *f = *state;
    assert_in_lua(
        f, PLUGIN_ACCESS,
        "fails('path must be a string', kong.service.request.set_path, 1)\n"
        "fails('path must start with /', kong.service.request.set_path, 'x')\n"
        "fails('invalid method: get', kong.service.request.set_method, 'get')\n"
        "fails('invalid scheme: ftp', kong.service.request.set_scheme, 'ftp')\n"
        "fails('invalid header value for \"X\"', kong.response.set_header, 'X', print)\n"
        "fails('port must be an integer', kong.service.set_target, 'h', 'x')\n"
        "fails('code must be a number', kong.response.exit, 'x')\n"
        "fails('body must be a nil, string or table', kong.response.exit, 200, 1)\n"
        "fails('code must be a number between 400 and 599', kong.response.error, 200)\n"
        "fails('either credential or consumer must be provided', kong.client.authenticate)");
}

static void header_values_may_be_arrays_numbers_and_booleans(void **state)
{
    struct fixture *f = *state;
    assert_in_lua(f, PLUGIN_ACCESS,
                  "kong.response.set_header('X-A', { 'one', 2, true })\n"
                  "kong.response.set_header('X-N', 1.5)");
    assert_int_equal(f->req.to_client.count, 4);
    assert_string_equal(f->req.to_client.list[1].value, "2");
    assert_string_equal(f->req.to_client.list[2].value, "true");
    assert_header(&f->req.to_client, "X-N", "1.5");
}

static void bodies_are_decoded_by_content_type(void **state)
{
    struct fixture *f = *state;
    f->req.is_body_there = true;
    f->req.body =
        PDK_STR("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B--\r\n");
    fake_put(&f->req.in, PDK_STR("Content-Type"), PDK_STR("multipart/form-data; boundary=B"));
    assert_in_lua(
        f, PLUGIN_ACCESS,
        "eq(kong.request.get_body().a, '1')\n"
        "eq(select(2, kong.request.get_body('application/json')), 'invalid json body')\n"
        "eq(select(2, kong.request.get_body('text/x')), \"unsupported content type 'text/x'\")\n"
        "local body = require 'kong.pdk.body'\n"
        "eq(body.decode('{\"a\":[1]}', 'application/json').a[1], 1)\n"
        "eq(body.decode('a=1&b=%26', 'application/x-www-form-urlencoded').b, '&')\n"
        "eq(body.decode('--B\\r\\n\\r\\nx', 'multipart/form-data; boundary=B'), nil)\n"
        "eq(body.decode('', nil), nil)");
}

static void ctx_is_shared_by_name_and_private_by_row(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access(conf)\n"
                  "  kong.ctx.shared.n = (kong.ctx.shared.n or 0) + 1\n"
                  "  kong.ctx.plugin.n = (kong.ctx.plugin.n or 0) + 1\n"
                  "  ngx.ctx = { n = 5 }\n"
                  "  kong.log.err(kong.ctx.shared.n, '/', kong.ctx.plugin.n, '/', ngx.ctx.n)\n"
                  "end return P");
    struct plugin_config other = {.serial = 2, .type = f->type};
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_int_equal(plugin_lua_vtable.run(&f->plugin, PLUGIN_ACCESS, &f->req, &other), PDK_OK);
    assert_logged(f, "1/1/5");
    assert_logged(f, "2/2/5");
    assert_logged(f, "3/1/5");
    fake_end(&f->req);
    f->worker.log[0] = '\0';
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_logged(f, "1/1/5");
}

static void conf_is_one_table_until_the_row_changes(void **state)
{
    struct fixture *f = *state;
    start(f,
          HEAD "local last\n"
               "function P:access(conf)\n"
               "  kong.log.err(conf == last, ' ', conf.limit, ' ', conf.unset, ' ', conf.route_id,"
               "    ' ', conf.__plugin_id)\n"
               "  last = conf\n"
               "end return P");
    f->config.json = json_pack("{s:i,s:n}", "limit", 20, "unset");
    f->config.id = SLICE("row");
    f->config.route_id = SLICE("route");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_logged(f, "handler.lua:4 false 20 nil route row");
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_logged(f, "true 20 nil route row");
    f->worker.log[0] = '\0';
    f->config.serial = 9;
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_logged(f, "false 20");
}

static void unused_conf_tables_go_when_there_are_many(void **state)
{
    struct fixture *f = *state;
    start(f, HEAD "function P:access() end return P");
    f->config.json = json_pack("{s:s}", "text", "0123456789");
    for (uint64_t i = 0; i < 5000; i++) {
        f->config.serial = i;
        f->worker.now_ms += i % 1000 == 0 ? 70000 : 1;
        assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    }
    f->config.serial = 4999; /* used last: the same entry still */
    assert_int_equal(run(f, PLUGIN_ACCESS), PDK_OK);
    assert_true(worker_lua_memory(f->lua) < 4 << 20);
}

static void body_filter_reads_and_replaces_chunks(void **state)
{
    struct fixture *f = *state;
    (void)snprintf(f->req.chunk, sizeof(f->req.chunk), "abc");
    assert_in_lua(f, PLUGIN_BODY,
                  "eq(ngx.arg[1], 'abc') eq(ngx.arg[2], false) ngx.arg[1] = ngx.arg[1]:upper()");
    assert_string_equal(f->req.chunk, "ABC");
}

static void the_ngx_table_has_time_text_and_names(void **state)
{
    struct fixture *f = *state;
    assert_in_lua(
        f, PLUGIN_LOG,
        "eq(ngx.now(), 1700000000.123) eq(ngx.time(), 1700000000)\n"
        "eq(ngx.http_time(784111777), 'Sun, 06 Nov 1994 08:49:37 GMT')\n"
        "eq(ngx.parse_http_time('Sun, 06 Nov 1994 08:49:37 GMT'), 784111777)\n"
        "eq(ngx.parse_http_time('yesterday'), nil)\n"
        "eq(ngx.escape_uri('a b/\\195\\188~'), 'a%20b%2F%C3%BC~')\n"
        "eq(ngx.unescape_uri('a+b%2f%zz%4'), 'a b/%zz%4')\n"
        "for _, s in ipairs({ '', 'f', 'fo', 'foo', '\\0\\255' }) do\n"
        "  eq(ngx.decode_base64(ngx.encode_base64(s)), s)\n"
        "end\n"
        "eq(ngx.encode_base64('fo'), 'Zm8=') eq(ngx.encode_base64('fo', true), 'Zm8')\n"
        "eq(ngx.decode_base64('Zm8'), 'fo') eq(ngx.decode_base64('!'), nil)\n"
        "eq(ngx.get_phase(), 'log') eq(ngx.null, require('cjson').null)\n"
        "eq(ngx.config.subsystem, 'http') eq(kong.version, '3.9.1') eq(kong.version_num, 3009001)\n"
        "eq(kong.configuration.anonymous_reports, false)\n"
        "eq(require('kong.meta').version, '3.9.1')");
}

static void a_consumer_that_a_plugin_made_is_known_afterwards(void **state)
{
    struct fixture *f = *state;
    assert_in_lua(
        f, PLUGIN_ACCESS,
        "kong.client.authenticate({ id = 'c1', username = 'bo' }, { id = 'k', key = 'x' })\n"
        "eq(kong.client.get_consumer().username, 'bo')\n"
        "eq(kong.client.get_consumer(), kong.client.get_consumer())");
    assert_string_equal(f->req.consumer->entity.name.ptr, "bo");
}

static void inspect_writes_tables_as_text(void **state)
{
    struct fixture *f = *state;
    assert_in_lua(f, PLUGIN_LOG,
                  "local t = { 1, 'two', key = { deep = true } } t.self = t\n"
                  "kong.log.inspect(t) kong.log('a', 1, nil, true)");
    assert_logged(f, "{ 1, \"two\", key = { deep = true }, self = {...} }");
    assert_logged(f, "a1niltrue");
}

static void an_argument_that_cannot_be_text_is_no_crash(void **state)
{
    struct fixture *f = *state;
    assert_in_lua(f, PLUGIN_LOG,
                  "local odd = setmetatable({}, { __tostring = function() error('odd') end })\n"
                  "fails('odd', kong.log.err, odd)\n"
                  "fails('key must be a string', kong.log.set_serialize_value, 1)");
}

static void a_defective_compiler_would_be_refused_and_this_one_is_not(void **state)
{
    struct fixture *f = *state;
    char *error = NULL;
    f->lua = worker_lua_create(&f->kong, &f->search, true, &error);
    if (f->lua == NULL)
        fail_msg("%s", error);
}

static void a_path_without_the_pdk_says_where_it_looked(void **state)
{
    struct fixture *f = *state;
    char *error = NULL;
    f->search.lua_path = "./nowhere/?.lua";
    assert_null(worker_lua_create(&f->kong, &f->search, false, &error));
    assert_non_null(strstr(error, "./nowhere/kong/pdk.lua"));
    free(error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_plugin_names_every_path),
        TEST(a_name_that_is_a_path_is_not_found),
        TEST(a_broken_handler_is_refused_with_the_reason),
        TEST(a_handler_declares_order_phases_and_scopes),
        TEST(the_sample_plugin_greets_upstream_and_client),
        TEST(exit_ends_the_handler_where_it_is_called),
        TEST(exit_in_header_filter_ends_the_handler_too),
        TEST(an_error_is_logged_with_a_traceback_and_disturbs_nothing),
        TEST(an_error_that_is_a_table_is_survived),
        TEST(an_endless_loop_is_stopped_even_around_pcall),
        TEST(memory_without_end_is_an_error_and_comes_back),
        TEST(running_out_of_memory_anywhere_is_survived),
        TEST(a_state_that_cannot_be_made_is_an_error),
        TEST(recursion_without_end_is_an_error),
        TEST(a_yield_outside_a_coroutine_of_its_own_is_an_error),
        TEST(a_handler_waits_for_the_body_and_goes_on),
        TEST(sleep_takes_a_ticket_and_a_timer_resumes_it),
        TEST(a_request_that_dies_drops_its_suspended_handler),
        TEST(waiting_where_one_cannot_is_an_error),
        TEST(a_function_outside_its_phases_names_them),
        TEST(headers_are_found_in_any_case),
        TEST(query_arguments_keep_repeats_and_bare_names),
        TEST(wrong_arguments_raise_kongs_errors),
        TEST(header_values_may_be_arrays_numbers_and_booleans),
        TEST(bodies_are_decoded_by_content_type),
        TEST(ctx_is_shared_by_name_and_private_by_row),
        TEST(conf_is_one_table_until_the_row_changes),
        TEST(unused_conf_tables_go_when_there_are_many),
        TEST(body_filter_reads_and_replaces_chunks),
        TEST(the_ngx_table_has_time_text_and_names),
        TEST(a_consumer_that_a_plugin_made_is_known_afterwards),
        TEST(inspect_writes_tables_as_text),
        TEST(an_argument_that_cannot_be_text_is_no_crash),
        TEST(a_defective_compiler_would_be_refused_and_this_one_is_not),
        TEST(a_path_without_the_pdk_says_where_it_looked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
