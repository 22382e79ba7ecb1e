-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"
local probe = require "spec.pdk.probe"

-- What the echo upstream saw after `code` ran in access.
local function upstream_saw(code, request)
  local res = probe.proxy({ access = code }, request)
  assert.same(200, res.status, res.text)
  return cjson.decode(res.text)
end

describe("PDK: kong.service.request", function()
  lazy_setup(probe.start)
  lazy_teardown(probe.stop)

  it("changes the path, the query and the method", function()
    local seen = upstream_saw([[
      local r = kong.service.request
      r.set_path("/other") r.set_raw_query("a=1") r.set_method("PUT")
    ]])
    assert.same({ "PUT", "/other?a=1" }, { seen.method, seen.uri })
  end)

  it("builds a query out of a table, sorted", function()
    local seen = upstream_saw("kong.service.request.set_query({ b = true, a = { 1, 'x y' }, c = false })")
    assert.same("/?a=1&a=x%20y&b", seen.uri)
  end)

  it("removes one argument and leaves the rest as it is", function()
    local seen = upstream_saw("kong.service.request.clear_query_arg('b')", { path = "/?a=%20&b=1&c&b=2" })
    assert.same("/?a=%20&c", seen.uri)
  end)

  it("sets, adds and removes headers", function()
    local seen = upstream_saw([[
      local r = kong.service.request
      r.set_header("X-One", 1) r.add_header("X-Two", "a") r.add_header("X-Two", true)
      r.clear_header("X-Gone") r.set_headers({ ["X-Many"] = { "p", "q" } })
    ]], { headers = { ["X-Gone"] = "here" } })
    assert.same("1", seen.headers["x-one"])
    assert.same({ "a", "true" }, seen.headers["x-two"])
    assert.same({ "p", "q" }, seen.headers["x-many"])
    assert.is_nil(seen.headers["x-gone"])
  end)

  it("sets the upstream's Host by the header host", function()
    assert.same("inner.test", upstream_saw("kong.service.request.set_header('host', 'inner.test')").headers.host)
  end)

  it("replaces the body, and its length follows", function()
    local seen = upstream_saw("kong.service.request.set_raw_body('longer than before')",
      { method = "POST", body = "short" })
    assert.same("longer than before", seen.body)
    assert.same("18", seen.headers["content-length"])
  end)

  it("encodes a body by its type", function()
    local json = upstream_saw("kong.service.request.set_body({ a = 1 }, 'application/json')", { method = "POST" })
    assert.same({ '{"a":1}', "application/json" }, { json.body, json.headers["content-type"] })
    local form = upstream_saw([[
      kong.service.request.set_body({ b = 2, a = "x y" }, "application/x-www-form-urlencoded")
    ]], { method = "POST" })
    assert.same("a=x%20y&b=2", form.body)
  end)

  it("goes to another target", function()
    local code = string.format("kong.service.set_target('%s', %d)", helpers.mock_upstream_host,
      helpers.mock_upstream_port)
    local service = probe.bp.services:insert({ host = "127.0.0.1", port = 1 })
    local seen = upstream_saw(code, { route = { service = service } })
    assert.same("GET", seen.method)
  end)

  it("refuses what is no path, method, scheme or header", function()
    local cases = {
      ["set_path(1)"] = "path must be a string",
      ["set_path('x')"] = "path must start with /",
      ["set_method('get')"] = "invalid method: get",
      ["set_scheme('ftp')"] = "invalid scheme: ftp",
      ["set_raw_query(1)"] = "query must be a string",
      ["set_header('X', print)"] = 'invalid header value for "X": got function',
      ["set_raw_body({})"] = "body must be a string",
      ["set_query(1)"] = "args must be a table",
    }
    for call, message in pairs(cases) do
      assert.matches(message, probe.failure("access", "kong.service.request." .. call), 1, true)
    end
  end)

  it("is for rewrite and access only", function()
    assert.matches("kong.service.request.set_path: function cannot be called in header_filter phase "
      .. "(only in: rewrite, access)", probe.failure("header_filter", "kong.service.request.set_path('/')"), 1, true)
    assert.is_nil(probe.failure("rewrite", "kong.service.request.set_header('X', '1')"))
  end)
end)
