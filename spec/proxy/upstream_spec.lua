-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"
local ports = require "spec.support.ports"

describe("Upstreams", function()
  local client, raw

  lazy_setup(function()
    raw = helpers.upstream.raw()
    local bp = helpers.get_db_utils()
    local service = bp.services:insert({ host = "127.0.0.1", port = raw.port, read_timeout = 1000, retries = 2 })
    bp.routes:insert({ paths = { "/raw" }, service = service })
    bp.routes:insert({ paths = { "/refused" }, service = bp.services:insert({ host = "127.0.0.1",
      port = ports.free({ "127.0.0.1" }), retries = 2 }) })
    bp.routes:insert({ paths = { "/quick" }, service = bp.services:insert({ host = "127.0.0.1", port = raw.port,
      read_timeout = 200, retries = 0 }) })
    bp.routes:insert({ paths = { "/unknown" }, service = bp.services:insert({ host = "no-such-name.invalid" }) })
    assert(helpers.start_kong())
  end)
  lazy_teardown(function()
    helpers.stop_kong()
    helpers.upstream.stop(raw)
  end)
  before_each(function() client = helpers.proxy_client() end)
  after_each(function() client:close() end)

  local function seen(name)
    local direct = helpers.http_client("127.0.0.1", raw.port)
    local result = cjson.decode(assert.res_status(200, direct:get("/seen/" .. name)))
    direct:close()
    return result
  end

  local invalid = { "garbage", "binary", "both-framings", "two-lengths", "bad-length", "bare-lf", "nul-in-field",
    "huge-head", "switching" }
  for _, name in ipairs(invalid) do
    it("answers 502 to an invalid response (" .. name .. ") without asking again", function()
      local before = seen(name).count
      local body = assert.res_status(502, client:get("/raw/" .. name))
      assert.matches("An invalid response was received from the upstream server", body, 1, true)
      assert.same(before + 1, seen(name).count)
      assert.res_status(200, client:get("/raw/ok"))
    end)
  end

  it("answers 502 when the connection is refused, after all tries", function()
    local res = client:get("/refused", { headers = { accept = "application/json" } })
    local body = cjson.decode(assert.res_status(502, res))
    assert.same("An invalid response was received from the upstream server", body.message)
    assert.same(res.headers["X-Kong-Request-Id"], body.request_id)
    assert.is_not_nil(res.headers["X-Kong-Proxy-Latency"])
  end)

  it("tries a GET again whose connection is closed, as often as the service says", function()
    local before = seen("close").count
    assert.res_status(502, client:get("/raw/close"))
    local tries = seen("close").count - before
    -- a connection from the pool that turns out dead is no try: it says nothing about the upstream
    assert.is_true(tries == 3 or tries == 4, tries .. " tries")
  end)

  it("never sends a POST twice that may have been acted upon", function()
    local before = seen("close").count
    assert.res_status(502, client:post("/raw/close", { body = "x" }))
    assert.same(before + 1, seen("close").count)
  end)

  it("answers 504 when the response does not come in time", function()
    local started = helpers.now()
    local body = assert.res_status(504, client:get("/quick/slow-head"))
    assert.matches("The upstream server is timing out", body, 1, true)
    assert.is_true(helpers.now() - started < 3)
  end)

  it("answers 503 for a name that does not exist", function()
    local body = cjson.decode(assert.res_status(503, client:get("/unknown")))
    assert.same("name resolution failed", body.message)
  end)

  it("lets the client see that a body was cut short", function()
    for _, name in ipairs({ "short-length", "short-chunked", "bad-chunk" }) do
      local answer, how = helpers.raw_request("GET /raw/" .. name .. " HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.matches("^HTTP/1%.1 200", answer)
      assert.matches("half", answer)
      assert.same("closed", how, name)
      assert.is_nil(answer:find("0\r\n\r\n", 1, true), name)
    end
  end)

  it("cuts a response that stalls", function()
    local answer, how = helpers.raw_request("GET /quick/stall HTTP/1.1\r\nHost: a\r\n\r\n")
    assert.matches("half$", answer)
    assert.same("closed", how)
  end)

  it("passes responses of every framing on", function()
    assert.same("all of it", assert.res_status(200, client:get("/raw/until-close")))
    assert.same("all of it", assert.res_status(200, client:get("/raw/chunked")))
    assert.same("old style", assert.res_status(200, client:get("/raw/old")))
    assert.same("", assert.res_status(204, client:get("/raw/no-content")))
    assert.same("ok", assert.res_status(200, client:get("/raw/interim")))
  end)

  it("gives nobody the bytes that an upstream sent too many", function()
    for _ = 1, 5 do
      assert.same("ok", assert.res_status(200, client:get("/raw/left-over")))
      assert.same("ok", assert.res_status(200, client:get("/raw/ok")))
    end
  end)

  it("drops fields of the upstream's connection", function()
    local res = client:get("/raw/hop-by-hop")
    assert.res_status(200, res)
    assert.is_nil(res.headers["X-Private"])
    assert.is_nil(res.headers["Keep-Alive"])
    assert.is_nil(res.headers["Proxy-Connection"])
    assert.is_nil(res.headers["Upgrade"])
    assert.same("2", res.headers["X-Public"])
  end)

  it("passes an early answer to an upload on", function()
    local answer = helpers.raw_request("POST /raw/early HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" ..
      ("x"):rep(200000), nil, 3)
    assert.matches("HTTP/1%.1 413", answer)
  end)

  it("never makes an upload that was cut short look complete", function()
    local before = seen("cut-upload").count
    helpers.raw_request("POST /raw/cut-upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf", nil, 0.3)
    assert.res_status(200, client:get("/raw/ok"))
    assert.same(before, seen("cut-upload").count)
  end)

  it("uses a connection again only when it is still good", function()
    for _ = 1, 10 do
      assert.res_status(200, client:get("/raw/ok"))
      assert.res_status(200, client:get("/raw/old"))
    end
  end)
end)
