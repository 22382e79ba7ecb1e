-- SPDX-License-Identifier: Apache-2.0
-- helpers: what a spec needs to drive a running gateway, shaped like Kong's spec.helpers.
--
--   local bp = helpers.get_db_utils("sqlite")
--   local route = bp.routes:insert { hosts = { "a.test" } }      -- to the echo upstream unless told
--   assert(helpers.start_kong { plugins = "bundled" })
--   local res = helpers.proxy_client():get("/", { headers = { host = "a.test" } })
--   assert.res_status(200, res)
--   helpers.stop_kong()
--
-- One default node serves these functions; helpers.new_node() makes more. spec/README.md has the list.
local assertions = require "spec.support.assertions"
local blueprint = require "spec.support.blueprint"
local cjson = require "cjson.safe"
local database = require "spec.support.database"
local http = require "spec.support.http"
local node = require "spec.support.node"
local ports = require "spec.support.ports"
local process = require "spec.support.process"
local socket = require "socket"
local upstream = require "spec.support.upstream"

local helpers = {
  blueprint = blueprint,
  cjson = cjson,
  database = database,
  process = process,
  upstream = upstream,
  uuid = blueprint.uuid,
  null = cjson.null,
  encode_args = http.encode_args,
  get_available_port = ports.free,
}

local default = node.new()
assertions.error_log = default.error_log

-- `prefix` is where logs/ will be; known before start, so plugin configurations can point below it.
helpers.test_conf = { prefix = default.prefix, error_log = default.error_log }

-- The echo upstream (services/upstreams/echo.py), started with the first spec file that names it.
local echo = upstream.echo()
helpers.mock_upstream_host = echo.host
helpers.mock_upstream_port = echo.port
helpers.mock_upstream_url = ("http://%s:%d"):format(echo.host, echo.port)
function helpers.mock_upstream_request_count()
  return upstream.request_count(echo)
end

-- ---------------------------------------------------------------------------------------- stores

local default_strategy = os.getenv("SLUICE_TEST_DATABASE") or "sqlite"

-- `for _, strategy in helpers.each_strategy() do`: every store that accepts writes and is available.
function helpers.each_strategy()
  local strategies = { "sqlite" }
  if database.postgres() then
    strategies[2] = "postgres"
  end
  if os.getenv("SLUICE_TEST_DATABASE") then
    strategies = { default_strategy }
  end
  return ipairs(strategies)
end

local current = {} -- of the default node: strategy, blueprint, database name

-- An empty store for the next start_kong(): bp and a description {strategy, name}. `strategy`: sqlite,
-- postgres or off; the others arguments of Kong's function say what to empty, and all is empty here.
function helpers.get_db_utils(strategy)
  strategy = strategy or default_strategy
  current = { strategy = strategy, bp = blueprint.new { host = echo.host, port = echo.port } }
  if strategy == "postgres" then
    current.name = database.create()
  end
  return current.bp, { strategy = strategy, name = current.name }
end

local function store_options()
  if current.strategy == "postgres" then
    return database.options(current.name)
  elseif current.strategy == "off" then
    local path = default.prefix .. "/declarative.json"
    return { database = "off", declarative_config = path }
  end
  return { database = current.strategy or "sqlite" }
end

-- ---------------------------------------------------------------------------------- start and stop

-- Starts the default node. `env`: configuration keys. `keeps_prefix`: do not empty the prefix first.
-- fixtures.dns_mock: a zone (helpers.dns_mock()) that names are resolved with. True, or nil and what
-- `sluice start` printed; rows of get_db_utils() are in place when it returns.
function helpers.start_kong(env, _, keeps_prefix, fixtures)
  local keys = store_options()
  for name, value in pairs(env or {}) do
    keys[name] = value
  end
  if fixtures and fixtures.dns_mock then
    current.dns = upstream.dns(fixtures.dns_mock.zone)
    keys.dns_resolver = "127.0.0.1:" .. current.dns.port
    fixtures.dns_mock.on_change = current.dns.set_zone
  end
  if keys.declarative_config == default.prefix .. "/declarative.json" then
    if not keeps_prefix then
      default:empty()
    end
    local file = assert(io.open(keys.declarative_config, "w"))
    file:write(current.bp:declarative())
    file:close()
    keeps_prefix = true
  end
  local ok, reason = default:start(keys, keeps_prefix)
  if ok and current.bp and keys.database ~= "off" then
    current.bp:flush(helpers.admin_client)
  end
  return ok, reason
end

-- Stops the default node and what start_kong() started with it. An error if a sanitizer found anything.
function helpers.stop_kong(_, keeps_prefix)
  if current.dns then
    upstream.stop(current.dns)
    current.dns = nil
  end
  return default:stop(keeps_prefix)
end

-- Stops and starts with other keys, the same prefix and store.
function helpers.restart_kong(env)
  assert(default:stop(true))
  local keys = store_options()
  for name, value in pairs(env or {}) do
    keys[name] = value
  end
  return default:start(keys, true)
end

-- Runs `sluice <arguments>` against the default node: true or false, stderr, stdout, exit status.
function helpers.kong_exec(arguments, env, timeout)
  local status, out, err = default:command(arguments, env, timeout)
  return status == 0, err, out, status
end

-- A second gateway: node:start(env), :stop(), :proxy_client(), :admin_client(), .prefix, .proxy_port ….
helpers.new_node = node.new
helpers.node = default
helpers.node_binary = node.binary

-- Names for start_kong()'s fixtures.dns_mock: :A{name=, address=, ttl=}, :SRV{name=, target=, port=}.
-- Records of one name add up; clear(name) forgets them. Changes reach a running name server at once.
function helpers.dns_mock()
  local mock = { zone = {} }
  local function add(kind, name, value, ttl)
    local entry = mock.zone[name] or { ttl = ttl or 1 }
    entry[kind] = entry[kind] or {}
    table.insert(entry[kind], value)
    mock.zone[name] = entry
    if mock.on_change then
      mock.on_change(mock.zone)
    end
  end
  function mock.A(_, record) add("A", record.name, record.address, record.ttl) end
  function mock.AAAA(_, record) add("AAAA", record.name, record.address, record.ttl) end
  function mock.SRV(_, record)
    add("SRV", record.name, { record.priority or 0, record.weight or 10, record.port, record.target }, record.ttl)
  end
  function mock.clear(_, name)
    mock.zone[name] = nil
    if mock.on_change then
      mock.on_change(mock.zone)
    end
  end
  return mock
end

-- ------------------------------------------------------------------------------------------ clients

-- `timeout` in seconds (10), in milliseconds from 1000 up, as Kong's specs give it.
local function seconds(timeout)
  return timeout and (timeout >= 1000 and timeout / 1000 or timeout)
end

function helpers.proxy_client(timeout, port)
  return default:proxy_client(seconds(timeout), port)
end

function helpers.proxy_ssl_client(timeout, sni)
  return default:proxy_ssl_client(seconds(timeout), sni)
end

function helpers.admin_client(timeout, port)
  return default:admin_client(seconds(timeout), port)
end

function helpers.status_client(timeout)
  return default:status_client(seconds(timeout))
end

-- http_client(host, port, timeout) or http_client{host=, port=, timeout=, tls=, sni=}.
function helpers.http_client(host, port, timeout)
  if type(host) == "table" then
    return http.client(host)
  end
  return http.client { host = host, port = port, timeout = seconds(timeout) }
end

function helpers.get_proxy_port(is_ssl)
  return is_ssl and default.proxy_ssl_port or default.proxy_port
end

function helpers.get_admin_port()
  return default.admin_port
end

function helpers.get_proxy_ip()
  return "127.0.0.1"
end

-- Sends bytes as they are to the proxy; all that came back, and "closed" or "timeout".
function helpers.raw_request(bytes, port, timeout, is_tls)
  return http.raw_request(bytes, "127.0.0.1", port or default.proxy_port, timeout, is_tls)
end

-- ------------------------------------------------------------------------------------------- waiting

-- Calls `fn` until it returns something true, and returns that; an error after `timeout` seconds (5).
function helpers.wait_until(fn, timeout, step)
  local deadline = socket.gettime() + (timeout or 5)
  repeat
    local result = fn()
    if result then
      return result
    end
    socket.sleep(step or 0.02)
  until socket.gettime() > deadline
  error(("the condition did not hold within %g s"):format(timeout or 5), 2)
end

-- The same for a function full of asserts: waits until it no longer fails.
function helpers.pwait_until(fn, timeout, step)
  local deadline = socket.gettime() + (timeout or 5)
  while true do
    local ok, reason = pcall(fn)
    if ok then
      return
    end
    if socket.gettime() > deadline then
      error(reason, 2)
    end
    socket.sleep(step or 0.02)
  end
end

-- The whole text of a file; nil if it cannot be read.
function helpers.read_file(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

-- Empties a log (the default node's error log).
function helpers.clean_logfile(path)
  local file = assert(io.open(path or default.error_log, "w"))
  file:close()
end

helpers.now = socket.gettime

return helpers
