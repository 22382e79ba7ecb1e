-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"
local socket = require "socket"

describe("Streaming", function()
  lazy_setup(function()
    local bp = helpers.get_db_utils()
    bp.routes:insert({ paths = { "/" }, service = bp.services:insert({ url = helpers.mock_upstream_url }) })
    assert(helpers.start_kong({ workers = "1" }))
  end)
  lazy_teardown(helpers.stop_kong)

  -- Resident memory of the process that owns the proxy's port, in KiB.
  local function resident()
    local total = 0
    local pids = io.popen("pgrep -f " .. helpers.test_conf.prefix)
    for pid in pids:lines() do
      local status = helpers.read_file("/proc/" .. pid .. "/status")
      total = total + tonumber(status and status:match("VmRSS:%s*(%d+)") or 0)
    end
    pids:close()
    return total
  end

  it("takes uploads of declared and of unknown length", function()
    local client = helpers.proxy_client()
    for _, size in ipairs({ 0, 1, 16384, 65536, 65537, 3000000 }) do
      local body = ("abcdefgh"):rep(math.ceil(size / 8)):sub(1, size)
      local seen = cjson.decode(assert.res_status(200, client:post("/", { body = body })))
      assert.same(size, #seen.body)
      assert.is_true(seen.body == body)
    end
    client:close()
    local chunk = ("1000\r\n%s\r\n"):format(("y"):rep(4096))
    local answer = helpers.raw_request("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" ..
      "Transfer-Encoding: chunked\r\n\r\n" .. chunk:rep(100) .. "0\r\n\r\n")
    assert.matches("^HTTP/1%.1 200", answer)
    assert.is_true(answer:find(("y"):rep(409600), 1, true) ~= nil)
  end)

  it("passes chunks on as they come", function()
    local client = helpers.proxy_client()
    local res = client:get("/drip?count=4&delay=0.2")
    assert.same(200, res.status)
    local last, gaps = nil, 0
    for chunk in function() return res.next_chunk() end do
      assert.is_true(#chunk > 0)
      local now = socket.gettime()
      if last and now - last > 0.1 then
        gaps = gaps + 1
      end
      last = now
    end
    assert.is_true(gaps >= 2, "chunks arrived together")
    client:close()
  end)

  it("holds little of a download that its reader does not take", function()
    local before = resident()
    local sock = socket.tcp()
    sock:setoption("tcp-nodelay", true)
    assert(sock:connect("127.0.0.1", helpers.get_proxy_port()))
    assert(sock:send("GET /bytes/52428800 HTTP/1.1\r\nHost: a\r\n\r\n"))
    assert(sock:receive("*l"))
    local settled = 0
    helpers.wait_until(function()
      local now = resident()
      settled = math.abs(now - before) < 1024 and settled + 1 or settled
      return settled >= 10
    end, 5)
    assert.is_true(resident() - before < 1024, "memory grew by " .. (resident() - before) .. " KiB")
    sock:close()
  end)

  it("gives all of a large download", function()
    local client = helpers.proxy_client()
    local res = client:get("/bytes/20000000")
    assert.same(20000000, #assert.res_status(200, res))
    client:close()
  end)

  it("cancels the upstream request when the client goes away", function()
    local sock = socket.tcp()
    local before = helpers.mock_upstream_request_count()
    assert(sock:connect("127.0.0.1", helpers.get_proxy_port()))
    assert(sock:send("GET /delay/5 HTTP/1.1\r\nHost: a\r\n\r\n"))
    helpers.wait_until(function() return helpers.mock_upstream_request_count() > before end)
    sock:close()
    helpers.wait_until(function()
      local log = helpers.read_file(helpers.test_conf.prefix .. "/logs/access.log")
      return log and log:find('/delay/5 HTTP/1.1" 499', 1, true)
    end, 3)
  end)
end)
