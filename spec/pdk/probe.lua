-- SPDX-License-Identifier: Apache-2.0
-- probe: runs Lua code inside a handler of the running gateway and returns what it returned.
--
--   lazy_setup(probe.start)      lazy_teardown(probe.stop)
--   assert.same("GET", probe.run("access", "return kong.request.get_method()"))
--   assert.matches("must be a string", probe.failure("access", "kong.request.get_header(1)"))
--   local res = probe.proxy({ access = "kong.service.request.set_path('/other')" })
local cjson = require "cjson.safe"
local helpers = require "spec.helpers"
local socket = require "socket"

local probe = {}

local FIXTURES = "spec/pdk/fixtures/?.lua"
local bp
local serial = 0

-- Starts a gateway with the plugin pdk-probe; `env` adds configuration keys.
function probe.start(env)
  local directory = assert(io.popen("pwd")):read("*l")
  local keys = { plugins = "pdk-probe", lua_package_path = directory .. "/" .. FIXTURES .. ";",
    trusted_ips = "127.0.0.1" }
  for name, value in pairs(type(env) == "table" and env or {}) do
    keys[name] = value
  end
  bp = helpers.get_db_utils(nil, { "routes", "services", "plugins", "consumers" }, { "pdk-probe" })
  probe.bp = bp
  assert(helpers.start_kong(keys))
end

function probe.stop()
  helpers.stop_kong()
end

-- A route of its own for one situation, and the host that leads to it.
local function new_route(route)
  serial = serial + 1
  local host = "probe-" .. serial .. ".test"
  local row = { hosts = { host } }
  for name, value in pairs(route or {}) do
    row[name] = value
  end
  return bp.routes:insert(row), host
end

-- Sends `request` (method, path, headers, body; route: members of the route) through a route whose
-- pdk-probe has `config`. The response.
function probe.send(config, request)
  request = request or {}
  local route, host = new_route(request.route)
  local is_global = config.rewrite ~= nil
  local plugin = bp.plugins:insert({ name = "pdk-probe", route = not is_global and { id = route.id } or nil,
    config = config })
  local headers = { host = host }
  for name, value in pairs(request.headers or {}) do
    headers[name] = value
  end
  local client = helpers.proxy_client()
  local res = assert(client:send({ method = request.method or "GET", path = request.path or "/", headers = headers,
    body = request.body }))
  res.text = res:read_body()
  client:close()
  if is_global then
    local admin = helpers.admin_client()
    assert(admin:send({ method = "DELETE", path = "/plugins/" .. plugin.id })):read_body()
    admin:close()
  end
  return res
end

-- The same with code that lets the request go on to the echo upstream.
function probe.proxy(config, request)
  config.proceeds = true
  return probe.send(config, request)
end

local function last_logged(mark)
  local text = helpers.read_file(helpers.test_conf.error_log) or ""
  local found
  for json in text:sub(mark + 1):gmatch("probe (%b{})") do
    found = json
  end
  return found
end

-- The log line may be written after the client has its answer.
local function wait_logged(mark)
  local deadline = socket.gettime() + 5
  repeat
    local json = last_logged(mark)
    if json then
      return json
    end
    socket.sleep(0.01)
  until socket.gettime() > deadline
  error("the probe logged nothing")
end

local function results_of(phase, code, request)
  local mark = #(helpers.read_file(helpers.test_conf.error_log) or "")
  local res = probe.send({ [phase] = code }, request)
  local json
  if phase == "log" or phase == "body_filter" then
    json = wait_logged(mark)
  else
    json = res.headers["X-Probe"]
  end
  local results = cjson.decode(json or "")
  if not results then
    error("no results from the probe: " .. res.status .. " " .. res.text, 3)
  end
  return results
end

-- What `code` returned in `phase`, nil as cjson.null; a Lua error there is one here.
function probe.run(phase, code, request)
  local results = results_of(phase, code, request)
  if not results.ok then
    error("the probe failed: " .. tostring(results.values[1]), 2)
  end
  return unpack(results.values == cjson.null and {} or results.values)
end

-- The error that `code` raised; nil if it raised none.
function probe.failure(phase, code, request)
  local results = results_of(phase, code, request)
  return not results.ok and results.values[1] or nil
end

return probe
