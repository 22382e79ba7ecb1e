-- SPDX-License-Identifier: Apache-2.0
-- The command line: commands, options, texts and exit statuses (issue: "CLI"). One node per test block;
-- plugins are off, so that nothing but the commands is under test.
local node = require "spec.support.node"
local ports = require "spec.support.ports"
local process = require "spec.support.process"
local socket = require "socket"

local HINT = "\n\n  Run with --v (verbose) or --vv (debug) for more details\n"

local function settings(more)
  local env = { plugins = "off" }
  for key, value in pairs(more or {}) do
    env[key] = value
  end
  return env
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

local function wait_until(condition, seconds)
  local deadline = socket.gettime() + (seconds or 10)
  while not condition() do
    assert(socket.gettime() < deadline, "the condition did not come true")
    socket.sleep(0.01)
  end
end

-- True if somebody accepts connections on the port.
local function accepts(port)
  local client = socket.tcp()
  client:settimeout(5)
  local is_open = client:connect("127.0.0.1", port)
  client:close()
  return is_open == 1
end

describe("command line", function()
  local gateway

  before_each(function()
    gateway = node.new()
  end)

  after_each(function()
    if gateway:is_running() then
      assert(gateway:stop())
    end
    gateway:destroy()
  end)

  local function run(arguments, env)
    return gateway:command(arguments, settings(env))
  end

  -- Fails with this text and nothing on stdout.
  local function assert_error(expected, arguments, env)
    local status, out, err = run(arguments, env)
    assert.same(1, status)
    assert.same("", out)
    assert.same("Error: " .. expected .. HINT, err)
  end

  local function assert_success(expected, arguments, env)
    local status, out, err = run(arguments, env)
    assert.same("", err)
    assert.same(expected, out)
    assert.same(0, status)
  end

  describe("without a command to run", function()
    it("prints its usage and fails", function()
      local status, _, err = run("")
      assert.same(1, status)
      assert.matches("Usage: sluice COMMAND", err, 1, true)
    end)

    it("names an unknown command", function()
      local status, _, err = run("fly")
      assert.same(1, status)
      assert.matches("No such command: fly\n$", err)
    end)

    it("explains itself and each command when asked to", function()
      for _, arguments in ipairs { "help", "--help", "start --help", "migrations -h" } do
        local status, out, err = run(arguments)
        assert.same(0, status)
        assert.matches("^Usage: sluice", out)
        assert.same("", err)
      end
    end)

    it("refuses an option that the command does not have", function()
      assert_error("stop has no option '--nope'; see sluice stop --help", "stop --nope")
      assert_error("--timeout: expected a number of seconds, found 'soon'", "quit -t soon")
      assert_error("--prefix: expected a value", "stop -p")
    end)

    it("prints the version", function()
      local _, out = run("version")
      assert.matches("^%d+%.%d+%.%d+\n$", out)
      local _, all = run("version --all")
      assert.matches("^Sluice: .*\nKong API: .*\nlibevent: .*\nLua: LuaJIT", all)
    end)
  end)

  describe("start", function()
    it("returns when the listeners accept, and says so", function()
      assert_success("Sluice started\n", "start")
      assert.is_true(accepts(gateway.proxy_port))
      assert.is_true(accepts(gateway.admin_port))
      assert.is_true(process.exists(gateway:pid()))
    end)

    it("refuses to run twice in one prefix", function()
      assert_success("Sluice started\n", "start")
      assert_error("Sluice is already running in " .. gateway.prefix, "start")
    end)

    it("is not fooled by the pid file of a process that is gone", function()
      assert_success("Sluice started\n", "start")
      local pid = gateway:pid()
      process.kill(pid, process.signal.SIGKILL)
      wait_until(function() return not process.exists(pid) end)
      assert_error("Sluice is not running at " .. gateway.prefix, "health")
      assert_success("Sluice started\n", "start")
    end)

    it("names an address that is taken", function()
      local server = assert(socket.bind("127.0.0.1", gateway.admin_port))
      assert_error(("admin_listen: 127.0.0.1:%d: Address already in use"):format(gateway.admin_port), "start")
      server:close()
      assert.is_false(gateway:is_running())
    end)

    it("lists every wrong value with where it came from", function()
      local file = write(gateway.prefix .. "/test.conf", "# head\ndatabase = mysql\npg_port = x\n")
      local status, _, err = run("start -c " .. file, { log_level = "loud", database = nil })
      assert.same(1, status)
      assert.matches("log_level has an invalid value: 'loud' (debug, info, notice, warn, error, crit, alert, emerg); "
        .. "set by SLUICE_LOG_LEVEL\n", err, 1, true)
      assert.matches("pg_port is not a number: 'x' (1 to 65535); set by " .. file .. ":3\n", err, 1, true)
    end)

    it("warns about an unknown key and starts", function()
      local file = write(gateway.prefix .. "/test.conf", "proxy_lisen = 1\n")
      local status, out, err = run("start -c " .. file)
      assert.same(0, status)
      assert.same("Sluice started\n", out)
      assert.same(("Warning: unknown configuration key 'proxy_lisen' (%s:1) is ignored; did you mean 'proxy_listen'?\n")
        :format(file), err)
    end)

    it("says which file is missing", function()
      assert_error("no file at: /nonexistent.conf", "start -c /nonexistent.conf")
    end)

    it("names a plugin that is not there", function()
      local status, _, err = run("start", { plugins = "no-such-plugin" })
      assert.same(1, status)
      assert.matches("no-such-plugin", err, 1, true)
      assert.is_false(gateway:is_running())
      assert.is_false(accepts(gateway.proxy_port))
    end)

    it("says in one line that the database is not reachable", function()
      local port = ports.free()
      local status, _, err = run("start", { database = "postgres", pg_host = "127.0.0.1", pg_port = port })
      assert.same(1, status)
      local first = err:match("^(.-)\n\n")
      assert.matches("127.0.0.1:" .. port, first, 1, true)
      assert.is_nil(first:find("\n", 1, true))
    end)

    it("takes the options of Kong that mean nothing here", function()
      local status, out, err = run("start --nginx-conf x --run-migrations --db-timeout 5 --lock-timeout=7")
      assert.same(0, status)
      assert.same("Sluice started\n", out)
      assert.same("Warning: --nginx-conf is ignored: Sluice has no nginx\n", err)
    end)

    it("stays in the foreground with daemon = off, logs there, and ends with Ctrl-C", function()
      local out = gateway.prefix .. "/stdout"
      local env = settings { daemon = "off", proxy_error_log = "/dev/stdout" }
      local handle = process.spawn({ gateway.binary, "start" },
        { env = gateway:environment(env), stdout = out })
      local function output()
        local file = io.open(out)
        local text = file and file:read("*a") or ""
        if file then
          file:close()
        end
        return text
      end
      wait_until(function() return output():find("Sluice started\n", 1, true) end)
      assert.is_true(accepts(gateway.proxy_port))
      assert.same(handle.pid, gateway:pid())
      process.kill(handle.pid, process.signal.SIGINT)
      assert.same(0, process.wait(handle, 15))
      assert.matches("%[notice%] .*serves\n", output())
      assert.is_nil(gateway:pid())
    end)

    it("reads Kong's variables", function()
      local environment = gateway:environment(settings())
      local kong = {}
      for name, value in pairs(environment) do
        kong[name:gsub("^SLUICE_", "KONG_")] = value
        if name:find("^SLUICE_") then
          kong[name] = false
        end
      end
      local status, out = process.run({ gateway.binary, "start" }, { env = kong })
      assert.same(0, status)
      assert.same("Sluice started\n", out)
      assert.is_true(accepts(gateway.admin_port))
    end)
  end)

  describe("stop, quit and restart", function()
    it("stop ends the gateway and frees its ports", function()
      assert_success("Sluice started\n", "start")
      local pid = gateway:pid()
      assert_success("Sluice stopped\n", "stop")
      wait_until(function() return not process.exists(pid) end)
      assert.is_false(accepts(gateway.proxy_port))
    end)

    it("fail when nothing runs", function()
      for _, command in ipairs { "stop", "quit", "reload" } do
        assert_error("Sluice is not running in prefix: " .. gateway.prefix, command)
        assert_error("no such prefix: /nonexistent/prefix", command .. " -p /nonexistent/prefix")
      end
    end)

    it("quit lets it end by itself", function()
      assert_success("Sluice started\n", "start")
      assert_success("Sluice stopped (gracefully)\n", "quit --timeout 10")
      assert.is_false(gateway:is_running())
    end)

    it("restart starts a gateway whether one ran or not", function()
      assert_success("Sluice started\n", "restart")
      local pid = gateway:pid()
      assert_success("Sluice started\n", "restart")
      assert.not_equal(pid, gateway:pid())
    end)

    it("restart leaves the gateway alone when the new configuration is wrong", function()
      assert_success("Sluice started\n", "start")
      local pid = gateway:pid()
      local status = run("restart", { pg_port = "x" })
      assert.same(1, status)
      assert.same(pid, gateway:pid())
      assert.is_true(accepts(gateway.proxy_port))
    end)
  end)

  describe("health", function()
    it("tells running from not running", function()
      assert_error("Sluice is not running at " .. gateway.prefix, "health")
      assert_success("Sluice started\n", "start")
      assert_success("gateway.....running\n\nSluice is healthy at " .. gateway.prefix .. "\n", "health")
    end)
  end)

  describe("reload", function()
    -- Process id of the gateway that serves.
    local function serving()
      local file = io.open(gateway.prefix .. "/pids/gateway.pid")
      local pid = file and file:read("*n")
      if file then
        file:close()
      end
      return pid
    end

    it("puts a new generation in place and keeps the supervisor", function()
      assert_success("Sluice started\n", "start")
      local supervisor, before = gateway:pid(), serving()
      assert_success("Sluice reloaded\n", "reload")
      assert.same(supervisor, gateway:pid())
      assert.not_equal(before, serving())
      assert.is_true(accepts(gateway.proxy_port))
    end)

    it("reads a file that is named, and this shell's variables", function()
      assert_success("Sluice started\n", "start")
      local port = ports.free()
      local file = write(gateway.prefix .. "/new.conf", "drain_timeout = 3\n")
      assert_success("Sluice reloaded\n", "reload -c " .. file, { proxy_listen = "127.0.0.1:" .. port })
      assert.is_true(accepts(port))
      assert.is_false(accepts(gateway.proxy_port))
      local effective = assert(io.open(gateway.prefix .. "/.kong_env"))
      assert.matches("\ndrain_timeout = 3\n", effective:read("*a"))
      effective:close()
    end)

    it("leaves everything as it was when the new configuration is wrong", function()
      assert_success("Sluice started\n", "start")
      local before = serving()
      assert_error("log_level has an invalid value: 'loud' (debug, info, notice, warn, error, crit, alert, emerg); "
        .. "set by SLUICE_LOG_LEVEL", "reload", { log_level = "loud" })
      local status = run("reload", { plugins = "no-such-plugin" })
      assert.same(1, status)
      assert.same(before, serving())
      assert.is_true(accepts(gateway.proxy_port))
      assert_success("Sluice reloaded\n", "reload")
    end)

    it("loses no connection", function()
      assert_success("Sluice started\n", "start")
      for _ = 1, 3 do
        assert_success("Sluice reloaded\n", "reload")
        for _ = 1, 20 do
          local client = gateway:proxy_client(5000)
          local res = assert(client:get("/nothing"))
          assert.same(404, res.status)
          client:close()
        end
      end
    end)
  end)

  describe("a gateway that dies", function()
    it("is replaced, and clients only wait", function()
      assert_success("Sluice started\n", "start")
      local file = assert(io.open(gateway.prefix .. "/pids/gateway.pid"))
      local pid = file:read("*n")
      file:close()
      process.kill(pid, process.signal.SIGKILL)
      local client = gateway:proxy_client(10000)
      local res = assert(client:get("/nothing"))
      assert.same(404, res.status)
      client:close()
      assert.matches("was killed by signal 9", gateway:read_log(), 1, true)
    end)
  end)

  describe("check and prepare", function()
    it("check says whether a file is valid", function()
      local good = write(gateway.prefix .. "/good.conf", "log_level = debug # a comment\n")
      local bad = write(gateway.prefix .. "/bad.conf", "headers = x-unknown\nlua_max_uri_args = 0\n")
      assert_success("configuration at " .. good .. " is valid\n", "check " .. good)
      local status, out, err = run("check " .. bad)
      assert.same(1, status)
      assert.same("", out)
      assert.matches("headers: invalid entry 'x-unknown'", err, 1, true)
      assert.matches("lua_max_uri_args has an invalid value: '0' (1 to 1000)", err, 1, true)
      assert_error("no file at: /nonexistent.conf", "check /nonexistent.conf")
    end)

    it("prepare makes the prefix and starts nothing", function()
      assert_success("", "prepare")
      for _, name in ipairs { ".kong_env", "kong.id", "ssl/kong-default.crt", "ssl/kong-default.key" } do
        assert(io.open(gateway.prefix .. "/" .. name), name):close()
      end
      assert.is_nil(gateway:pid())
    end)
  end)
end)
