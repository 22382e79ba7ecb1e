-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local probe = require "spec.pdk.probe"

local run = probe.run

describe("PDK: kong.response", function()
  lazy_setup(probe.start)
  lazy_teardown(probe.stop)

  it("exits with a table as JSON", function()
    local res = probe.proxy({ access = "kong.response.exit(403, { message = 'no' }, { ['X-Why'] = 'because' })" })
    assert.same({ 403, '{"message":"no"}', "because" }, { res.status, res.text, res.headers["X-Why"] })
    assert.same("application/json; charset=utf-8", res.headers["Content-Type"])
    assert.same("16", res.headers["Content-Length"])
  end)

  it("exits with text as it is, and with nothing", function()
    local text = probe.proxy({ access = "kong.response.exit(200, 'plain')" })
    assert.same({ 200, "plain" }, { text.status, text.text })
    assert.is_nil(text.headers["Content-Type"])
    local nothing = probe.proxy({ access = "kong.response.exit(204)" })
    assert.same({ 204, "" }, { nothing.status, nothing.text })
  end)

  it("ends the handler at exit, even within pcall", function()
    local res = probe.proxy({ access = "pcall(kong.response.exit, 201, 'first') kong.response.exit(500, 'second')" })
    assert.same({ 201, "first" }, { res.status, res.text })
  end)

  it("keeps headers that were set before", function()
    local res = probe.proxy({ access = "kong.response.set_header('X-Early', '1') kong.response.exit(200)" })
    assert.same("1", res.headers["X-Early"])
  end)

  it("answers errors with Kong's body", function()
    local res = probe.proxy({ access = "kong.response.error(418, 'short and stout')" })
    assert.same(418, res.status)
    assert.same("short and stout", cjson.decode(res.text).message)
  end)

  it("changes the upstream's headers and status in header_filter", function()
    local res = probe.send({ header_filter = [[
      kong.response.set_status(202)
      kong.response.set_header("X-New", { "a", "b" })
      kong.response.clear_header("X-Served-By")
      return kong.response.get_source(), kong.service.response.get_status(), kong.response.get_status()
    ]] })
    assert.same(202, res.status)
    assert.same({ "service", 200, 202 }, cjson.decode(res.headers["X-Probe"]).values)
    assert.is_nil(res.headers["X-Served-By"])
    assert.not_nil(res.headers["X-New"])
  end)

  it("puts headers set in access on top of the upstream's", function()
    local res = probe.proxy({ access = "kong.response.set_header('X-Early', 'set')" })
    assert.same("set", res.headers["X-Early"])
  end)

  it("reads the upstream's headers before plugins changed them", function()
    assert.same({ "echo", "changed" }, { run("header_filter", [[
      kong.response.set_header("X-Served-By", "changed")
      return kong.service.response.get_header("x-served-by"), kong.response.get_headers()["X-Served-By"]
    ]]) })
  end)

  it("replaces the whole body in body_filter", function()
    local res = probe.send({ body_filter = [[
      local body = kong.response.get_raw_body()
      if body then kong.response.set_raw_body(#body > 0 and "replaced" or "empty") end
    ]] }, { path = "/stream/5" })
    assert.same("replaced", res.text)
  end)

  it("changes chunks by ngx.arg", function()
    local res = probe.send({ body_filter = "ngx.arg[1] = ngx.arg[1]:upper()" })
    assert.same(res.text:upper(), res.text)
  end)

  it("knows what ended the request", function()
    local res = probe.send({ access = "return 1", header_filter = "return kong.response.get_source()" })
    assert.same("exit", cjson.decode(res.headers["X-Probe"]).values[1])
  end)

  it("refuses arguments of the wrong type", function()
    local cases = {
      ["exit('x')"] = "code must be a number",
      ["exit(99)"] = "code must be a number between 100 and 599",
      ["exit(200, 1)"] = "body must be a nil, string or table",
      ["exit(200, '', 1)"] = "headers must be a nil or table",
      ["error(200)"] = "code must be a number between 400 and 599",
      ["set_status(600)"] = "code must be a number between 100 and 599",
      ["set_header(1, 2)"] = "invalid header name",
      ["set_headers(1)"] = "headers must be a table",
    }
    for call, message in pairs(cases) do
      assert.matches(message, probe.failure("access", "kong.response." .. call), 1, true)
    end
  end)

  it("cannot be changed once it is being sent", function()
    assert.matches("kong.response.set_header: function cannot be called in log phase "
      .. "(only in: rewrite, access, response, header_filter)",
      probe.failure("log", "kong.response.set_header('X', '1')"), 1, true)
    assert.matches("kong.response.get_raw_body: function cannot be called in access phase (only in: body_filter)",
      probe.failure("access", "kong.response.get_raw_body()"), 1, true)
  end)
end)
