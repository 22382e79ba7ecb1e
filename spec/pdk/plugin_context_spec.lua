-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"
local probe = require "spec.pdk.probe"

local run = probe.run

describe("PDK: what a handler knows", function()
  lazy_setup(probe.start)
  lazy_teardown(probe.stop)

  it("has the client's addresses", function()
    assert.same({ "127.0.0.1", "203.0.113.9" }, { run("access",
      "return kong.client.get_ip(), kong.client.get_forwarded_ip()",
      { headers = { ["X-Forwarded-For"] = "203.0.113.9", ["X-Real-IP"] = "203.0.113.9" } }) })
  end)

  it("has route, service and plugin as tables without null members", function()
    local route, service, id = run("access",
      "return kong.router.get_route(), kong.router.get_service(), kong.plugin.get_id()")
    assert.same(route.service.id, service.id)
    assert.is_nil(route.snis)
    assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", id)
  end)

  it("can authenticate a consumer, whom later phases see", function()
    local consumer = probe.bp.consumers:insert({ username = "bo" })
    local res = probe.send({
      access = ("kong.client.authenticate(kong.client.load_consumer('%s'), nil)"):format(consumer.id),
      header_filter = "return kong.client.get_consumer().username", proceeds = true })
    assert.same("bo", cjson.decode(res.headers["X-Probe"]).values[1])
  end)

  it("finds a consumer by name only when asked to", function()
    probe.bp.consumers:insert({ username = "ada" })
    assert.same({ cjson.null, "ada" }, { run("access", [[
      local by_name = kong.client.load_consumer("ada", true)
      return kong.client.load_consumer("ada"), by_name and by_name.username
    ]]) })
  end)

  it("keeps kong.ctx.plugin and kong.ctx.shared through the phases of a request", function()
    local res = probe.send({ access = "kong.ctx.plugin.a = 1 kong.ctx.shared.b = 2 ngx.ctx.c = 3",
      header_filter = "return kong.ctx.plugin.a, kong.ctx.shared.b, ngx.ctx.c", proceeds = true })
    assert.same({ 1, 2, 3 }, cjson.decode(res.headers["X-Probe"]).values)
    assert.same(cjson.null, (run("access", "return kong.ctx.shared.b")))
  end)

  it("gets its configuration without nulls and with its scope", function()
    assert.same({ true, true, "nil", "nil" }, { run("access", [[
      local conf = ...
      return conf.route_id == kong.router.get_route().id, conf.__plugin_id == kong.plugin.get_id(),
        type(conf.log), type(conf.consumer_id)
    ]]) })
  end)

  it("knows node, worker, version and settings", function()
    assert.same({ "string", "string", 0, "http", "3" }, { run("access", [[
      return type(kong.node.get_id()), type(kong.node.get_hostname()), ngx.worker.id() * 0,
        kong.nginx.get_subsystem(), kong.version:sub(1, 1)
    ]]) })
    assert.same(helpers.test_conf.prefix, (run("access", "return kong.configuration.prefix")))
    assert.matches("cannot write to configuration", probe.failure("access", "kong.configuration.prefix = 1"))
  end)

  it("has the common ngx.var variables", function()
    assert.same({ "127.0.0.1", "GET", "/p", "/p?a=1", "a=1", "http", "v", "1" }, { run("access", [[
      local var = ngx.var
      return var.remote_addr, var.request_method, var.uri, var.request_uri, var.args, var.scheme,
        var.http_x_h, var.arg_a
    ]], { path = "/p?a=1", headers = { ["X-H"] = "v" } }) })
    assert.matches("^%x+$", (run("access", "return ngx.var.request_id")))
  end)

  it("sleeps, and goes on where it was", function()
    assert.is_true((run("access", "local from = ngx.now() ngx.sleep(0.05) return ngx.now() - from >= 0.045")))
  end)

  it("names the phase", function()
    for _, phase in ipairs({ "rewrite", "access", "header_filter", "body_filter", "log" }) do
      assert.same(phase, (run(phase, "return ngx.get_phase()")))
    end
  end)

  it("writes log lines with the plugin's name and the place", function()
    run("access", "kong.log.warn('a ', 1, ' ', nil, ' ', true) return 1")
    assert.errlog().has.line("[pdk-probe] probe:1 a 1 nil true", true)
  end)

  it("adds to the log record and reads it back", function()
    local res = probe.send({ access = "kong.log.set_serialize_value('mine.deep', { 1, 2 })", proceeds = true,
      log = "local r = kong.log.serialize() kong.log.err('record ', r.mine.deep[2], ' ', r.request.method)" })
    assert.same(200, res.status)
    helpers.pwait_until(function()
      assert.errlog().has.line("record 2 GET", true)
    end)
  end)
end)

describe("PDK: a handler that fails", function()
  lazy_setup(probe.start)
  lazy_teardown(probe.stop)

  it("answers 500, names itself in the log and disturbs nothing else", function()
    local res = probe.proxy({ access = "return 1" }, { route = {} })
    assert.same(200, res.status)
    local failed = probe.send({ access = "this is not Lua" })
    assert.same(500, failed.status)
    assert.same("An unexpected error occurred", cjson.decode(failed.text).message)
    assert.errlog().has.line("%[pdk%-probe%] error in access handler: .*stack traceback:", false)
    assert.same(1, (run("access", "return 1")))
  end)

  it("is stopped when it never ends", function()
    local res = probe.send({ access = "while true do pcall(function() while true do end end) end", unprotected = true })
    assert.same(500, res.status)
    assert.errlog().has.line("stopped after 100 million instructions", true)
    assert.same(1, (run("access", "return 1")))
  end)

  it("cannot use up the node's memory", function()
    local res = probe.send({ access = "local t = {} while true do t[#t + 1] = ('x'):rep(1000000) .. #t end",
      unprotected = true })
    assert.same(500, res.status)
    assert.errlog().has.line("not enough memory", true)
    assert.same(1, (run("access", "return 1")))
  end)
end)
