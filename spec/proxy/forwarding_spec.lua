-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

describe("Forwarding", function()
  local client

  lazy_setup(function()
    local bp = helpers.get_db_utils()
    local plain = bp.services:insert({ url = helpers.mock_upstream_url })
    local below = bp.services:insert({ url = helpers.mock_upstream_url .. "/base" })
    bp.routes:insert({ paths = { "/strip" }, service = plain })
    bp.routes:insert({ paths = { "/keep" }, strip_path = false, service = plain })
    bp.routes:insert({ paths = { "/below" }, service = below })
    bp.routes:insert({ paths = { "/preserve" }, preserve_host = true, service = plain })
    bp.routes:insert({ paths = { "~/items/(?<item>\\d+)" }, service = plain })
    bp.routes:insert({ hosts = { "host.test", "*.wild.test" }, service = plain })
    bp.routes:insert({ paths = { "/only" }, methods = { "PUT" }, service = plain })
    bp.routes:insert({ paths = { "/head" }, headers = { ["x-version"] = { "v2" } }, service = plain })
    bp.routes:insert({ paths = { "/nowhere" }, service = cjson.null })
    assert(helpers.start_kong())
  end)
  lazy_teardown(helpers.stop_kong)
  before_each(function() client = helpers.proxy_client() end)
  after_each(function() client:close() end)

  local function seen(path, options)
    local res = client:get(path, options)
    return cjson.decode(assert.res_status(200, res)), res
  end

  it("strips the matched prefix, once, and keeps the query as it came", function()
    assert.matches("/x/y%?a=%%20b&c$", seen("/strip/x/y?a=%20b&c").uri)
    assert.matches("/$", seen("/strip").uri)
    assert.matches("/strip$", seen("/strip/strip").uri)
  end)

  it("keeps the path when the route says so", function()
    assert.matches("/keep/x$", seen("/keep/x").uri)
  end)

  it("puts the service's path in front", function()
    assert.matches("/base$", seen("/below").uri)
    assert.matches("/base/$", seen("/below/").uri)
    assert.matches("/base/x$", seen("/below/x").uri)
  end)

  it("normalises the path before it matches and sends", function()
    assert.matches("/b$", seen("/strip/a/../b").uri)
    assert.matches("/a/b$", seen("//strip//a/./b").uri)
    assert.matches("/Az~$", seen("/strip/%41%7a%7E").uri)
    assert.matches("/a%%2Fb$", seen("/strip/a%2fb").uri)
  end)

  it("sends the service's Host unless the route preserves the client's", function()
    local upstream = helpers.mock_upstream_url:match("^http://(.*)$")
    assert.same(upstream, seen("/strip", { headers = { host = "me.test" } }).headers.host)
    assert.same("me.test:81", seen("/preserve", { headers = { host = "me.test:81" } }).headers.host)
  end)

  it("tells the upstream who asks and for what", function()
    local headers = seen("/strip/x?y", { headers = { host = "Me.test" } }).headers
    assert.same("127.0.0.1", headers["x-real-ip"])
    assert.same("127.0.0.1", headers["x-forwarded-for"])
    assert.same("http", headers["x-forwarded-proto"])
    assert.same("me.test", headers["x-forwarded-host"]:lower())
    assert.same(tostring(helpers.get_proxy_port()), headers["x-forwarded-port"])
    assert.same("/strip/x", headers["x-forwarded-path"])
    assert.same("/strip", headers["x-forwarded-prefix"])
    assert.matches("^1%.1 sluice/", headers.via)
    assert.matches("^%x+$", headers["x-kong-request-id"])
  end)

  it("does not believe an untrusted client's forwarding headers", function()
    local headers = seen("/strip", { headers = { ["X-Forwarded-For"] = "1.2.3.4", ["X-Real-IP"] = "1.2.3.4",
      ["X-Forwarded-Proto"] = "https", ["X-Forwarded-Host"] = "evil.test", ["X-Forwarded-Prefix"] = "/evil" } }).headers
    assert.same("1.2.3.4, 127.0.0.1", headers["x-forwarded-for"])
    assert.same("127.0.0.1", headers["x-real-ip"])
    assert.same("http", headers["x-forwarded-proto"])
    assert.not_equal("evil.test", headers["x-forwarded-host"])
    assert.same("/strip", headers["x-forwarded-prefix"])
  end)

  it("drops fields of the connection and those that it names", function()
    local headers = seen("/strip", { headers = { Connection = "keep-alive, X-Private", ["X-Private"] = "1",
      ["Keep-Alive"] = "5", ["Proxy-Connection"] = "x", TE = "gzip, trailers", Upgrade = "h2c",
      ["X-Public"] = "2" } }).headers
    assert.is_nil(headers["x-private"])
    assert.is_nil(headers["keep-alive"])
    assert.is_nil(headers["proxy-connection"])
    assert.is_nil(headers.upgrade)
    assert.same("trailers", headers.te)
    assert.same("2", headers["x-public"])
  end)

  it("does not let the client name framing or Host as fields of its connection", function()
    local headers = seen("/strip", { headers = { Connection = "host, content-length, x-forwarded-for" } }).headers
    assert.is_not_nil(headers.host)
    assert.same("127.0.0.1", headers["x-forwarded-for"])
  end)

  it("says in the response how long it took and which request it was", function()
    local _, res = seen("/strip")
    assert.matches("^%d+$", res.headers["X-Kong-Upstream-Latency"])
    assert.matches("^%d+$", res.headers["X-Kong-Proxy-Latency"])
    assert.matches("^" .. ("%x"):rep(32) .. "$", res.headers["X-Kong-Request-Id"])
    assert.matches("sluice/", res.headers.Via)
  end)

  it("matches hosts, wildcards, methods, headers and regex paths", function()
    seen("/", { headers = { host = "host.test" } })
    seen("/", { headers = { host = "host.test:8000" } })
    seen("/", { headers = { host = "a.b.wild.test" } })
    assert.res_status(404, client:get("/", { headers = { host = "wild.test" } }))
    assert.res_status(200, client:put("/only"))
    assert.res_status(404, client:get("/only"))
    seen("/head", { headers = { ["X-Version"] = "V2" } })
    assert.res_status(404, client:get("/head", { headers = { ["X-Version"] = "v3" } }))
    assert.matches("/tail$", seen("/items/42/tail").uri)
    assert.res_status(404, client:get("/items/none"))
  end)

  it("answers 503 for a route without a service", function()
    local body = assert.res_status(503, client:get("/nowhere"))
    assert.same("no Service found with those values", cjson.decode(body).message)
  end)

  it("keeps both connections alive", function()
    local before = helpers.mock_upstream_request_count()
    for _ = 1, 20 do
      seen("/strip")
    end
    assert.is_true(helpers.mock_upstream_request_count() - before >= 20)
  end)
end)

describe("Forwarding behind a trusted proxy", function()
  local client

  lazy_setup(function()
    local bp = helpers.get_db_utils()
    bp.routes:insert({ paths = { "/" }, service = bp.services:insert({ url = helpers.mock_upstream_url }) })
    assert(helpers.start_kong({ trusted_ips = "127.0.0.0/8,10.0.0.0/8", real_ip_header = "X-Forwarded-For",
      real_ip_recursive = "on" }))
  end)
  lazy_teardown(helpers.stop_kong)
  before_each(function() client = helpers.proxy_client() end)
  after_each(function() client:close() end)

  it("believes its forwarding headers and looks behind further proxies", function()
    local res = client:get("/", { headers = { ["X-Forwarded-Proto"] = "https",
      ["X-Forwarded-For"] = "6.6.6.6, 9.9.9.9, 10.0.0.7",
      ["X-Forwarded-Host"] = "real.test", ["X-Forwarded-Port"] = "444", ["X-Forwarded-Prefix"] = "/outer" } })
    local headers = cjson.decode(assert.res_status(200, res)).headers
    assert.same("9.9.9.9", headers["x-real-ip"])
    assert.same("6.6.6.6, 9.9.9.9, 10.0.0.7, 127.0.0.1", headers["x-forwarded-for"])
    assert.same("https", headers["x-forwarded-proto"])
    assert.same("real.test", headers["x-forwarded-host"])
    assert.same("444", headers["x-forwarded-port"])
    assert.same("/outer", headers["x-forwarded-prefix"])
  end)
end)
