-- SPDX-License-Identifier: Apache-2.0
-- node: one gateway under test: its prefix, its ports, start and stop.
--
-- Every node has a temporary prefix and free loopback ports of its own, chosen when it is made, so a
-- spec can name them before start. Configuration goes in as SLUICE_* variables, as an operator would.
local http = require "spec.support.http"
local ports = require "spec.support.ports"
local process = require "spec.support.process"
local socket = require "socket"
local stdlib = require "posix.stdlib"

local node = {}

local Node = {}
Node.__index = Node

local serial = 0

-- scripts/spec-file makes SLUICE_SPEC_DIR, ends what is still running below it, and removes it.
local spec_dir = os.getenv("SLUICE_SPEC_DIR")

local function make_prefix()
  serial = serial + 1
  local parent = spec_dir or "/tmp"
  local _, out = process.run { "mktemp", "-d", ("%s/sluice-spec-%d-XXXXXX"):format(parent, serial) }
  return (out:gsub("%s+$", ""))
end

function node.binary()
  return os.getenv("SLUICE_BIN") or "build/sluice"
end

-- A node that has not been started. Its `binary` may be changed before start().
function node.new()
  local self = setmetatable({
    prefix = make_prefix(),
    proxy_port = ports.free(),
    proxy_ssl_port = ports.free(),
    admin_port = ports.free(),
    status_port = ports.free(),
    binary = node.binary(),
  }, Node)
  self.error_log = self.prefix .. "/logs/error.log"
  return self
end

-- The environment of a command about this node. `env`: keys in lower case, over the defaults here.
function Node:environment(env)
  local keys = {
    prefix = self.prefix,
    proxy_listen = ("127.0.0.1:%d, 127.0.0.1:%d ssl"):format(self.proxy_port, self.proxy_ssl_port),
    admin_listen = ("127.0.0.1:%d"):format(self.admin_port),
    status_listen = ("127.0.0.1:%d"):format(self.status_port),
    database = "sqlite",
    workers = "2",
    log_level = "info",
    lua_package_path = "./spec/fixtures/?.lua;./spec/fixtures/?/init.lua",
  }
  for name, value in pairs(env or {}) do
    keys[name] = tostring(value)
  end
  local variables = {}
  -- Of the environment that the spec runs in, no configuration reaches the gateway.
  for name in pairs(stdlib.getenv()) do
    if name:find("^SLUICE_") or name:find("^KONG_") then
      variables[name] = false
    end
  end
  for name, value in pairs(keys) do
    variables["SLUICE_" .. name:upper()] = value
  end
  -- Findings go to files that stop() looks for: a daemon has nobody to tell.
  local findings = ":log_path=" .. self.prefix .. "/sanitizer"
  for _, name in ipairs { "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS" } do
    variables[name] = (os.getenv(name) or "") .. findings
  end
  return variables
end

-- Runs `sluice <arguments>` for this node (text, split by the shell): status, stdout, stderr.
function Node:command(arguments, env, timeout)
  return process.run({ "sh", "-c", 'exec "$0" ' .. arguments, self.binary },
    { env = self:environment(env), timeout = timeout or 60 })
end

-- Makes the prefix, and empties it.
function Node:empty()
  process.run { "mkdir", "-p", self.prefix }
  process.run { "find", self.prefix, "-mindepth", "1", "-delete" }
end

-- Starts the node with an empty prefix, or with the one it has if `keeps_prefix`. True, or nil and what
-- the command printed.
function Node:start(env, keeps_prefix)
  if not keeps_prefix then
    self:empty()
  end
  self.env = env
  if env and env.database == "postgres" then
    local status, out, err = self:command("migrations bootstrap", env)
    if status ~= 0 then
      return nil, err .. out
    end
  end
  local status, out, err = self:command("start", env)
  if status ~= 0 then
    return nil, err .. out .. (self:findings() or "")
  end
  return true
end

-- Process id of the supervisor; nil if there is no pid file.
function Node:pid()
  local file = io.open(self.prefix .. "/pids/sluice.pid")
  local pid = file and file:read("*n")
  if file then
    file:close()
  end
  return pid
end

function Node:is_running()
  local pid = self:pid()
  return pid ~= nil and process.exists(pid)
end

-- What a sanitizer wrote about this node; nil if nothing.
function Node:findings()
  local _, out = process.run { "find", self.prefix, "-maxdepth", "1", "-name", "sanitizer*", "-size", "+0",
    "-exec", "cat", "{}", "+" }
  return out ~= "" and out or nil
end

-- Stops the node ("stop" or "quit") and removes its prefix unless `keeps_prefix`. An error if a
-- sanitizer found something, or if it does not end.
function Node:stop(keeps_prefix, how)
  local pid = self:pid()
  local status, out, err = 0, "", ""
  if pid then
    status, out, err = self:command(how or "stop", self.env)
    local deadline = socket.gettime() + 15
    while process.exists(pid) and socket.gettime() < deadline do
      socket.sleep(0.01)
    end
    if process.exists(pid) then
      process.kill(pid, process.signal.SIGKILL)
      status, err = 1, "the gateway did not end within 15 s of " .. (how or "stop")
    end
  end
  local findings = self:findings()
  if not keeps_prefix and not spec_dir then
    self:destroy()
  end
  if findings then
    error("sanitizer: " .. findings:sub(1, 6000), 2)
  end
  if status ~= 0 then
    return nil, err .. out
  end
  return true
end

function Node:proxy_client(timeout, port)
  return http.client { host = "127.0.0.1", port = port or self.proxy_port, timeout = timeout }
end

function Node:proxy_ssl_client(timeout, sni)
  return http.client { host = "127.0.0.1", port = self.proxy_ssl_port, timeout = timeout, tls = true, sni = sni }
end

function Node:admin_client(timeout, port)
  return http.client { host = "127.0.0.1", port = port or self.admin_port, timeout = timeout }
end

function Node:status_client(timeout)
  return http.client { host = "127.0.0.1", port = self.status_port, timeout = timeout }
end

-- The text of the error log, or of another file below the prefix.
function Node:read_log(name)
  local file = io.open(self.prefix .. "/logs/" .. (name or "error.log"))
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return text
end

-- Removes the prefix for good.
function Node:destroy()
  process.run { "rm", "-rf", self.prefix }
end

return node
