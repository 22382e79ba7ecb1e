-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"
local probe = require "spec.pdk.probe"

local run = probe.run

describe("PDK: kong.request", function()
  lazy_setup(probe.start)
  lazy_teardown(probe.stop)

  it("describes the request line", function()
    assert.same({ "POST", "http", 1.1 }, { run("access",
      "return kong.request.get_method(), kong.request.get_scheme(), kong.request.get_http_version()",
      { method = "POST" }) })
    assert.same({ "/a/c", "/a/./b/../c", "/a/./b/../c?x=1&y", "x=1&y" }, { run("access", [[
      local r = kong.request
      return r.get_path(), r.get_raw_path(), r.get_path_with_query(), r.get_raw_query()
    ]], { path = "/a/./b/../c?x=1&y" }) })
  end)

  it("has an empty query when there is none", function()
    assert.same("", run("access", "return kong.request.get_raw_query()"))
  end)

  it("gives the host in lower case and the listener's port", function()
    local host, port = run("access", "return kong.request.get_host(), kong.request.get_port()")
    assert.matches("^probe%-%d+%.test$", host)
    assert.same(helpers.get_proxy_port(), port)
  end)

  it("believes forwarding headers of a trusted peer", function()
    assert.same({ "https", "api.example", 8443, "/outer" }, { run("access", [[
      local r = kong.request
      return r.get_forwarded_scheme(), r.get_forwarded_host(), r.get_forwarded_port(), r.get_forwarded_prefix()
    ]], { headers = { ["X-Forwarded-Proto"] = "https", ["X-Forwarded-Host"] = "api.example",
      ["X-Forwarded-Port"] = "8443", ["X-Forwarded-Prefix"] = "/outer" } }) })
  end)

  it("finds headers in any case, with underscores for dashes", function()
    assert.same({ "one", "one", cjson.null }, { run("access", [[
      return kong.request.get_header("X-THING"), kong.request.get_header("x_thing"), kong.request.get_header("absent")
    ]], { headers = { ["X-Thing"] = "one" } }) })
    assert.same({ "one", "one", "one" }, { run("access", [[
      local h = kong.request.get_headers()
      return h["x-thing"], h["X-Thing"], h.x_thing
    ]], { headers = { ["X-Thing"] = "one" } }) })
  end)

  it("cuts tables of headers and arguments at a maximum", function()
    assert.same("truncated", (select(2, run("access", "local h, t = kong.request.get_headers(1) return true, t",
      { headers = { ["X-Thing"] = "one" } }))))
    assert.same("truncated", (select(2, run("access", "local q, t = kong.request.get_query(1) return true, t",
      { path = "/?a=1&b=2" }))))
    assert.matches("max_args must be <= 1000", probe.failure("access", "kong.request.get_query(1001)"))
  end)

  it("tells an argument without a value from an empty one", function()
    assert.same({ true, "", "1", cjson.null }, { run("access", [[
      local get = kong.request.get_query_arg
      return get("bare"), get("empty"), get("twice"), get("absent")
    ]], { path = "/?bare&empty=&twice=1&twice=2" }) })
    assert.same({ bare = true, empty = "", twice = { "1", "2" } },
      (run("access", "return kong.request.get_query()", { path = "/?bare&empty=&twice=1&twice=2" })))
  end)

  it("decodes arguments", function()
    assert.same("a b/ü", (run("access", "return kong.request.get_query_arg('q')", { path = "/?q=a+b%2F%C3%BC" })))
  end)

  it("waits for the body and decodes it by its type", function()
    assert.same("text", (run("access", "return kong.request.get_raw_body()", { method = "POST", body = "text" })))
    assert.same("", (run("access", "return kong.request.get_raw_body()")))
    assert.same({ a = { 1, 2 } }, (run("access", "return kong.request.get_body()",
      { method = "POST", headers = { ["Content-Type"] = "application/json" }, body = { a = { 1, 2 } } })))
    assert.same({ a = "1" }, (run("access", "return kong.request.get_body()",
      { method = "POST", headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }, body = { a = 1 } })))
    assert.same({ a = "1" }, (run("access", "return kong.request.get_body()",
      { method = "POST", headers = { ["Content-Type"] = "multipart/form-data" }, body = { a = 1 } })))
  end)

  it("says why a body cannot be decoded", function()
    assert.same({ cjson.null, "missing content type" }, { run("access", "return kong.request.get_body()",
      { method = "POST", body = "x", headers = { ["Content-Type"] = false } }) })
    assert.same({ cjson.null, "invalid json body", "application/json" },
      { run("access", "return kong.request.get_body()",
        { method = "POST", body = "{", headers = { ["Content-Type"] = "application/json" } }) })
    assert.same({ cjson.null, "unsupported content type 'text/plain'", "text/plain" },
      { run("access", "return kong.request.get_body()",
        { method = "POST", body = "x", headers = { ["Content-Type"] = "text/plain" } }) })
  end)

  it("still proxies a body that a plugin has read", function()
    local res = probe.proxy({ access = "kong.request.get_raw_body()" }, { method = "POST", body = "kept" })
    assert.same("kept", cjson.decode(res.text).body)
  end)

  it("has the captures of the route's regex", function()
    assert.same({ "/users/7", "7", "7" }, { run("access", [[
      local captures = kong.request.get_uri_captures()
      return captures.unnamed[0], captures.unnamed[1], captures.named.id
    ]], { path = "/users/7", route = { paths = { "~/users/(?<id>\\d+)$" } } }) })
  end)

  it("knows when the request began", function()
    local started = run("access", "return kong.request.get_start_time()")
    assert.is_true(math.abs(started / 1000 - os.time()) < 60)
  end)

  it("can be read in every later phase", function()
    for _, phase in ipairs({ "rewrite", "access", "header_filter", "body_filter", "log" }) do
      assert.same("GET", (run(phase, "return kong.request.get_method()")), phase)
    end
  end)

  it("refuses arguments of the wrong type", function()
    assert.matches("header name must be a string", probe.failure("access", "kong.request.get_header(1)"))
    assert.matches("query argument name must be a string", probe.failure("access", "kong.request.get_query_arg()"))
    assert.matches("max_headers must be a number", probe.failure("access", "kong.request.get_headers('x')"))
  end)
end)
