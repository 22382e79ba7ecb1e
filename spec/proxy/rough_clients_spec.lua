-- SPDX-License-Identifier: Apache-2.0
-- Clients that are slow, impatient or go away, beside plugins that wait, replace and answer themselves.
local cjson = require "cjson"
local helpers = require "spec.helpers"
local probe = require "spec.pdk.probe"
local socket = require "socket"

describe("Rough clients", function()
  local raw, host, client

  lazy_setup(function()
    raw = helpers.upstream.raw()
    probe.start({ workers = "1", plugins = "pdk-probe" })
    local service = probe.bp.services:insert({ host = "127.0.0.1", port = raw.port, read_timeout = 2000 })
    probe.bp.routes:insert({ paths = { "/raw" }, service = service })
    probe.bp.routes:insert({ paths = { "/echo" }, strip_path = true,
      service = probe.bp.services:insert({ url = helpers.mock_upstream_url }) })
  end)
  lazy_teardown(function()
    probe.stop()
    helpers.upstream.stop(raw)
  end)
  before_each(function() client = helpers.proxy_client() end)
  after_each(function() client:close() end)

  local function connect()
    local sock = socket.tcp()
    sock:settimeout(10)
    assert(sock:connect("127.0.0.1", helpers.get_proxy_port()))
    return sock
  end

  it("get their own responses, however late they read what they pipelined", function()
    local sock, count = connect(), 3000
    local request = "GET /echo/stream/3 HTTP/1.1\r\nHost: a\r\n\r\n"
    local all, at = request:rep(count), 1
    sock:settimeout(0)
    local deadline = socket.gettime() + 3
    while at <= #all and socket.gettime() < deadline do -- others use the worker's buffers meanwhile
      local sent, _, partial = sock:send(all, at)
      at = (sent or partial) + 1
      assert.res_status(200, client:get("/echo/response-headers?X-Other=" .. ("other"):rep(50)))
    end
    sock:settimeout(10)
    local answered = 0
    while (answered + 1) * #request < at do
      local line = sock:receive("*l")
      if line == nil then
        break
      end
      assert.same("HTTP/1.1 200 OK", line)
      repeat
        line = assert(sock:receive("*l"))
        assert.is_nil(line:find("other", 1, true))
      until line == ""
      repeat
        local size = tonumber(assert(sock:receive("*l")), 16)
        assert.is_not_nil(size)
        assert(sock:receive(size + 2))
      until size == 0
      answered = answered + 1
    end
    sock:close()
    assert.is_true(answered > 100, answered .. " responses")
  end)
end)
