-- SPDX-License-Identifier: Apache-2.0
-- Clients that are slow, impatient or go away, beside plugins that wait, replace and rewrite.
local helpers = require "spec.helpers"
local socket = require "socket"

local function wait_for_line(text)
  helpers.wait_until(function()
    local log = helpers.read_file(helpers.test_conf.prefix .. "/logs/error.log")
    return log and log:find(text, 1, true)
  end)
end

local FIXTURES = io.popen("pwd"):read("*l") .. "/spec/pdk/fixtures/?.lua;"

describe("Rough clients and plugins", function()
  local bp, client, raw

  -- Leads `host` to a service, through pdk-probe with `config` (its code goes on to the service).
  local function route(host, service, config)
    local row = bp.routes:insert({ hosts = { host }, service = service })
    if config then
      config.proceeds = true
      bp.plugins:insert({ name = "pdk-probe", route = row, config = config })
    end
    return row
  end

  lazy_setup(function()
    raw = helpers.upstream.raw()
    bp = helpers.get_db_utils(nil, nil, { "pdk-probe", "file-log" })
    local echo = bp.services:insert({ url = helpers.mock_upstream_url, read_timeout = 4000 })
    local odd = bp.services:insert({ host = "127.0.0.1", port = raw.port, read_timeout = 2000, retries = 0 })
    route("plain.test", echo)
    route("raw.test", odd)
    route("nowhere.test", bp.services:insert({ host = "255.255.255.255", retries = 32767 }))
    route("buffered.test", echo, { access = "kong.service.request.enable_buffering()" })
    route("whole.test", echo, { access = "kong.service.request.enable_buffering()", body_filter = [[
      local body = kong.response.get_raw_body()
      if body then kong.response.set_raw_body(body .. "!") end]] })
    route("head.test", echo, { access = "kong.service.request.set_method('HEAD')" })
    route("empty.test", odd, { header_filter = "kong.response.set_status(204)" })
    route("changed.test", echo, { body_filter = "ngx.arg[1] = ngx.arg[1]" })
    for host, code in pairs({ sleeps = "kong.log.notice('it waits') ngx.sleep(2)", reads = "kong.request.get_raw_body()" }) do
      local row = route(host .. ".test", echo, { access = code })
      bp.plugins:insert({ name = "file-log", route = row,
        config = { path = helpers.test_conf.prefix .. "/" .. host .. ".log" } })
    end
    assert(helpers.start_kong({ plugins = "bundled,pdk-probe", lua_package_path = FIXTURES,
      nginx_http_client_body_timeout = "1s" }))
  end)
  lazy_teardown(function()
    helpers.stop_kong()
    helpers.upstream.stop(raw)
  end)
  before_each(function() client = helpers.proxy_client() end)
  after_each(function() client:close() end)

  local function get(host, path)
    return client:get(path or "/", { headers = { host = host } })
  end

  local function connect()
    local sock = socket.tcp()
    sock:settimeout(8)
    assert(sock:connect("127.0.0.1", helpers.get_proxy_port()))
    return sock
  end

  local function wait_logged(name)
    helpers.wait_until(function()
      return (helpers.read_file(helpers.test_conf.prefix .. "/" .. name) or "") ~= ""
    end, 1.5)
  end

  it("see all plugins' log handlers run when they leave during a handler's wait", function()
    local sock = connect()
    assert(sock:send("GET / HTTP/1.1\r\nHost: sleeps.test\r\n\r\n"))
    wait_for_line("it waits")
    sock:close()
    wait_logged("sleeps.log")
  end)

  it("get 408 when the body that a handler waits for does not come", function()
    local answer = helpers.raw_request("POST / HTTP/1.1\r\nHost: reads.test\r\nContent-Length: 10\r\n\r\nhalf")
    assert.matches("^HTTP/1%.1 408 ", answer)
    wait_logged("reads.log")
  end)

  it("are told that the connection ends when their upload is not read", function()
    local answer = helpers.raw_request("POST / HTTP/1.1\r\nHost: unknown.test\r\nContent-Length: 500000\r\n\r\nhalf")
    assert.matches("^HTTP/1%.1 404 ", answer)
    assert.matches("\r\nConnection: close\r\n", answer)
    answer = helpers.raw_request("POST / HTTP/1.1\r\nHost: unknown.test\r\nContent-Length: 4\r\n\r\nbody", nil, 0.5)
    assert.matches("\r\nConnection: keep%-alive\r\n", answer)
  end)

  it("are noticed when they leave a stream that is silent", function()
    local sock = connect()
    assert(sock:send("GET /drip?count=2&delay=3&left HTTP/1.1\r\nHost: plain.test\r\n\r\n"))
    assert.same("HTTP/1.1 200 OK", sock:receive("*l"))
    sock:close()
    helpers.wait_until(function()
      return (helpers.read_file(helpers.test_conf.prefix .. "/logs/access.log") or ""):find("delay=3&left", 1, true)
    end, 1.5)
  end)

  it("may pipeline a head that ends where the receive block ends", function()
    local function head(method, bytes, rest)
      local text = method .. " / HTTP/1.1\r\nHost: unknown.test\r\nX: %s\r\n" .. rest .. "\r\n"
      return text:format(("x"):rep(bytes - #text + 2))
    end
    local sock = connect()
    assert(sock:send(head("GET", 20000, "") .. head("GET", 20000, "")
      .. (head("POST", 25536, "Content-Length: 5\r\n"):gsub("unknown.test", "plain.test  ")) .. "BODY!"))
    local seen, deadline = "", socket.gettime() + 5
    sock:settimeout(0.2)
    repeat
      local data, _, partial = sock:receive(65536)
      seen = seen .. (data or partial)
    until seen:find("BODY!", 1, true) or socket.gettime() > deadline
    sock:close()
    assert.is_truthy(seen:find("BODY!", 1, true))
  end)

  it("get the length of a HEAD response although the response is buffered", function()
    local res = client:head("/bytes/10", { headers = { host = "buffered.test" } })
    assert.res_status(200, res)
    assert.same("10", res.headers["Content-Length"])
  end)

  it("get a buffered body once when a body handler reads it too", function()
    assert.same(("x"):rep(10) .. "!", assert.res_status(200, get("whole.test", "/bytes/10")))
  end)

  it("get an answer when a plugin turned their GET into a HEAD", function()
    assert.same("", assert.res_status(200, get("head.test", "/bytes/10")))
    assert.res_status(200, get("head.test", "/bytes/10"))
  end)

  it("keep their connection when a plugin drops a body by its status", function()
    for _ = 1, 3 do
      assert.same("", assert.res_status(204, get("empty.test", "/chunked")))
      assert.same("ok", assert.res_status(200, get("raw.test", "/ok")))
    end
  end)

  it("get 502 from an upstream that sends interim responses without end", function()
    assert.res_status(502, get("raw.test", "/interims"))
    assert.res_status(200, get("raw.test", "/ok"))
  end)

  it("get 502 when none of very many tries even begins", function()
    assert.res_status(502, get("nowhere.test"))
    assert.res_status(200, get("raw.test", "/ok"))
  end)

  it("do not make the gateway grow by a long body that a plugin changes", function()
    local function resident()
      local pid = helpers.read_file(helpers.test_conf.prefix .. "/pids/sluice.pid"):match("%d+")
      local worker = io.popen("pgrep -P " .. pid):read("*n")
      return tonumber(helpers.read_file("/proc/" .. worker .. "/status"):match("VmHWM:%s*(%d+)"))
    end
    assert.same(1000000, #assert.res_status(200, get("changed.test", "/bytes/1000000")))
    local before = resident()
    assert.same(40000000, #assert.res_status(200, get("changed.test", "/bytes/40000000")))
    assert.is_true(resident() - before < 20000, "grew by " .. resident() - before .. " KiB")
  end)
end)

describe("Draining", function()
  local bp

  before_each(function()
    bp = helpers.get_db_utils()
    bp.routes:insert({ paths = { "/" }, service = bp.services:insert({ url = helpers.mock_upstream_url }) })
    assert(helpers.start_kong({ workers = "2" }))
  end)
  after_each(helpers.stop_kong)

  it("lets every worker finish, also when another one has only idle clients", function()
    local idle = {}
    for i = 1, 12 do -- both workers have some
      idle[i] = helpers.proxy_client()
      assert.res_status(200, idle[i]:get("/"))
    end
    local sock = socket.tcp()
    sock:settimeout(5)
    assert(sock:connect("127.0.0.1", helpers.get_proxy_port()))
    local before = helpers.mock_upstream_request_count()
    assert(sock:send("GET /delay/1 HTTP/1.1\r\nHost: a\r\n\r\n"))
    helpers.wait_until(function() return helpers.mock_upstream_request_count() > before end)
    assert.is_true((helpers.kong_exec("quit --prefix " .. helpers.test_conf.prefix)))
    assert.same("HTTP/1.1 200 OK", sock:receive("*l"))
    sock:close()
    for _, connection in ipairs(idle) do
      connection:close()
    end
  end)

  it("leaves the Admin API to the next generation", function()
    local sock = socket.tcp()
    assert(sock:connect("127.0.0.1", helpers.get_proxy_port()))
    local before = helpers.mock_upstream_request_count()
    assert(sock:send("GET /delay/3 HTTP/1.1\r\nHost: a\r\n\r\n")) -- keeps the old one alive
    helpers.wait_until(function() return helpers.mock_upstream_request_count() > before end)
    assert.is_true((helpers.kong_exec("reload --prefix " .. helpers.test_conf.prefix)))
    wait_for_line("draining: no new connections are accepted")
    for i = 1, 20 do
      local admin, client = helpers.admin_client(), helpers.proxy_client()
      assert.res_status(201, admin:post("/routes", { body = { paths = { "/new" .. i } },
        headers = { ["Content-Type"] = "application/json" } }))
      assert.res_status(503, client:get("/new" .. i)) -- a route without service
      admin:close()
      client:close()
    end
    sock:close()
  end)
end)
