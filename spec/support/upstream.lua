-- SPDX-License-Identifier: Apache-2.0
-- upstream: starts the servers of services/ for a spec and waits until they accept.
local http = require "spec.support.http"
local ports = require "spec.support.ports"
local process = require "spec.support.process"
local socket = require "socket"

local upstream = {}

local function wait_for(what, log, is_ready, handle)
  local deadline = socket.gettime() + 30
  repeat
    local answer = is_ready()
    if answer then
      return answer
    end
    socket.sleep(0.01)
  until socket.gettime() > deadline or not process.is_running(handle)
  local file = io.open(log)
  error(what .. " did not come up: " .. (file and file:read("*a") or ""), 3)
end

-- Runs one of services/upstreams with --ready; waits for its port.
local function start_script(name, arguments)
  local log = os.tmpname()
  local ready = os.tmpname()
  os.remove(ready)
  local argv = { "/usr/bin/python3", "services/upstreams/" .. name, "--ready", ready, unpack(arguments) }
  local handle = process.spawn(argv, { stdout = log })
  handle.port = wait_for(name, log, function()
    local file = io.open(ready)
    local port = file and file:read("*n")
    if file then
      file:close()
    end
    return port
  end, handle)
  os.remove(ready)
  os.remove(log)
  return handle
end

-- options: host, port (free unless given), name, tls = {certificate file, key file}. A handle with
-- `host` and `port`.
function upstream.echo(options)
  options = options or {}
  local arguments = { "--host", options.host or "127.0.0.1", "--port", tostring(options.port or 0),
    "--name", options.name or "echo" }
  if options.tls then
    arguments[#arguments + 1] = "--tls"
    arguments[#arguments + 1] = options.tls[1]
    arguments[#arguments + 1] = options.tls[2]
  end
  local handle = start_script("echo.py", arguments)
  handle.host = options.host or "127.0.0.1"
  return handle
end

-- services/upstreams/raw.py: sends scripted bytes, well-formed or not.
function upstream.raw(options)
  options = options or {}
  local handle = start_script("raw.py",
    { "--host", options.host or "127.0.0.1", "--port", tostring(options.port or 0) })
  handle.host = options.host or "127.0.0.1"
  return handle
end

-- Number of requests that an echo upstream has seen.
function upstream.request_count(handle)
  local client = http.client { host = handle.host, port = handle.port }
  local res = assert(client:get("/requests"))
  local count = res.json().requests
  client:close()
  return count
end

-- The FastAPI service services/<name> under uvicorn. options: host, port, env.
function upstream.fastapi(name, options)
  options = options or {}
  local host = options.host or "127.0.0.1"
  local port = options.port or ports.free { host }
  local log = os.tmpname()
  local env = { PYTHONDONTWRITEBYTECODE = "1" }
  for key, value in pairs(options.env or {}) do
    env[key] = value
  end
  local argv = { "/usr/bin/python3", "-m", "uvicorn", "main:app", "--app-dir", "services/" .. name,
    "--host", host, "--port", tostring(port), "--log-level", "warning" }
  local handle = process.spawn(argv, { stdout = log, env = env })
  wait_for("services/" .. name, log, function()
    local client = http.client { host = host, port = port, timeout = 2 }
    local res = client:get("/health")
    client:close()
    return res and res.status == 200
  end, handle)
  os.remove(log)
  handle.host, handle.port = host, port
  return handle
end

-- A scripted name server; zone as services/upstreams/dns.py describes. The handle has `port` and
-- set_zone(zone), which takes effect with the next question.
function upstream.dns(zone)
  local cjson = require "cjson"
  local path = os.tmpname()
  local function set_zone(new)
    local file = assert(io.open(path .. ".new", "w"))
    file:write(cjson.encode(new))
    file:close()
    assert(os.rename(path .. ".new", path))
  end
  set_zone(zone)
  local handle = start_script("dns.py", { "--zone", path })
  handle.set_zone = set_zone
  handle.zone_path = path
  return handle
end

function upstream.stop(handle)
  local status = process.stop(handle)
  if handle.zone_path then
    os.remove(handle.zone_path)
  end
  return status
end

return upstream
