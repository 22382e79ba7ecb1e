-- SPDX-License-Identifier: Apache-2.0
-- scripts/run, which `make run` ends in: starts everything, answers, stops everything, twice in a row.
local helpers = require "spec.helpers"

describe("make run", function()
  local proxy, admin, tls, status_port, first, log
  local running

  local function is_listening(port)
    local client = helpers.http_client("127.0.0.1", port, 2)
    local is_up = client:connect()
    client:close()
    return is_up == true
  end

  local function start()
    log = helpers.test_conf.prefix .. "/run.log"
    os.remove(log)
    running = helpers.process.spawn({ "setsid", "scripts/run", os.getenv("SLUICE_BUILD") or "build" }, {
      stdout = log,
      env = { PROXY_PORT = proxy, ADMIN_PORT = admin, TLS_PORT = tls, STATUS_PORT = status_port,
        SERVICE_PORT = first, RUN_PREFIX = helpers.test_conf.prefix .. "/run" },
    })
    helpers.wait_until(function()
      local text = helpers.read_file(log) or ""
      if not helpers.process.is_running(running) then
        error("scripts/run ended: " .. text)
      end
      return text:find("Ctrl-C stops everything", 1, true)
    end, 60)
  end

  lazy_setup(function()
    proxy, admin, tls = helpers.get_available_port(), helpers.get_available_port(), helpers.get_available_port()
    status_port = helpers.get_available_port()
    repeat
      first = helpers.get_available_port()
    until not is_listening(first + 1) and not is_listening(first + 2)
  end)

  lazy_teardown(function()
    helpers.process.stop(running)
  end)

  for round = 1, 2 do
    it("registers the services, prints commands that work, and stops all of it, round " .. round, function()
      start()
      local text = helpers.read_file(log)
      local command = assert(text:match("\n  (curl %-i [^\n]+)"))
      local status, out = helpers.process.run { "sh", "-c", command }
      assert.same(0, status)
      assert.truthy(out:find('{"input":{"text":"hello world"},"preprocessed":true}', 1, true), out)
      command = assert(text:match("\n  (curl %-N [^\n]+)"))
      status, out = helpers.process.run { "sh", "-c", command }
      assert.same(0, status)
      assert.truthy(out:find("data: [DONE]", 1, true), out)

      -- What Ctrl-C sends. The script started in a session of its own, as a terminal would give it.
      helpers.process.kill(running.pid, helpers.process.signal.SIGINT)
      assert.same(0, helpers.process.wait(running, 20))
      for _, port in ipairs { proxy, admin, tls, first, first + 1, first + 2 } do
        assert.is_false(is_listening(port), "something still listens on port " .. port)
      end
    end)
  end

  it("names a port that is taken, and starts nothing", function()
    local status, out, err = helpers.process.run({ "scripts/run", os.getenv("SLUICE_BUILD") or "build" }, {
      env = { PROXY_PORT = proxy, TLS_PORT = tls, ADMIN_PORT = helpers.mock_upstream_port, STATUS_PORT = status_port,
        SERVICE_PORT = first, RUN_PREFIX = helpers.test_conf.prefix .. "/run" },
    })
    assert.same(1, status)
    assert.same("", out)
    assert.truthy(err:find("port " .. helpers.mock_upstream_port .. " is in use; ADMIN_PORT=", 1, true), err)
    assert.is_false(is_listening(proxy) or is_listening(first))
  end)
end)
