-- SPDX-License-Identifier: Apache-2.0
-- compose.yml: valid, and its topology works: PostgreSQL, migrations, gateway and the three services as
-- local processes with the environment that the file gives to the containers.
local helpers = require "spec.helpers"
local yaml = require "lyaml"

local function read_compose()
  local status, out, err = helpers.process.run { "docker-compose", "-f", "compose.yml", "config" }
  return status, out, err
end

describe("compose.yml", function()
  local services

  lazy_setup(function()
    local status, out, err = read_compose()
    assert(status == 0, err)
    services = yaml.load(out).services
  end)

  it("is what docker-compose accepts", function()
    local status, _, err = helpers.process.run { "docker-compose", "-f", "compose.yml", "config", "-q" }
    assert.same(0, status, err)
  end)

  it("has a database, its migrations, the gateway and the three services, and nothing else", function()
    local names = {}
    for name in pairs(services) do
      names[#names + 1] = name
    end
    table.sort(names)
    assert.same({ "db", "gateway", "infer", "migrations", "postprocess", "preprocess" }, names)
  end)

  it("starts the gateway after the migrations and the healthy services", function()
    local conditions = {}
    for name, dependency in pairs(services.gateway.depends_on) do
      conditions[name] = dependency.condition
    end
    assert.same({
      db = "service_healthy", migrations = "service_completed_successfully", preprocess = "service_healthy",
      infer = "service_healthy", postprocess = "service_healthy",
    }, conditions)
    assert.same("service_healthy", services.migrations.depends_on.db.condition)
    assert.is_table(services.db.healthcheck)
  end)

  it("gives replicas a range of host ports that begins with the tutorial's", function()
    for name, port in pairs { preprocess = 9001, infer = 9002, postprocess = 9003 } do
      local published = services[name].ports[1]
      local text = type(published) == "table" and tostring(published.published) or published
      assert.truthy(text:find("^" .. port .. "%-%d+"), text)
    end
  end)
end)

describe("the topology of compose.yml as local processes", function()
  local processes, ports = {}, {}
  local node = helpers.new_node()
  local database

  -- The gateway's variables as the file has them, with this run's addresses in place of the names.
  local function environment()
    local _, out = read_compose()
    local pg = assert(helpers.database.postgres(), "run this spec through scripts/with-services")
    local here = {
      PG_HOST = pg.host, PG_PORT = pg.port, PG_DATABASE = database, PG_USER = pg.user,
      PG_PASSWORD = pg.password,
      PROXY_LISTEN = ("127.0.0.1:%d"):format(node.proxy_port),
      ADMIN_LISTEN = ("127.0.0.1:%d"):format(node.admin_port),
      STATUS_LISTEN = ("127.0.0.1:%d"):format(node.status_port),
    }
    local env = {}
    for name, value in pairs(yaml.load(out).services.gateway.environment) do
      env[name:gsub("^SLUICE_", ""):lower()] = value
    end
    for name, value in pairs(here) do
      env[name:lower()] = value
    end
    env.nginx_daemon = "off" -- as the image's environment says
    return env
  end

  lazy_setup(function()
    database = helpers.database.create()
    for _, name in ipairs { "preprocess", "infer", "postprocess" } do
      processes[name] = helpers.upstream.fastapi(name)
      ports[name] = processes[name].port
    end
  end)

  lazy_teardown(function()
    for _, handle in pairs(processes) do
      helpers.process.stop(handle)
    end
    node:destroy()
    helpers.database.drop(database)
  end)

  it("will not start before the migrations ran, and says what to do", function()
    local status, out, err = node:command("start", environment())
    assert.same(1, status)
    assert.truthy((err .. out):find("migrations bootstrap", 1, true), err .. out)
  end)

  it("starts after them, stays in the foreground and serves the workflow", function()
    local env = environment()
    local status, out, err = node:command("migrations bootstrap", env)
    assert.same(0, status, err .. out)
    local log = node.prefix .. "/container.log"
    processes.gateway = helpers.process.spawn({ helpers.node_binary(), "start" },
      { env = node:environment(env), stdout = log })
    helpers.pwait_until(function()
      local res = assert(node:admin_client(2):get("/status"))
      assert(res.status == 200)
    end, 20)
    assert.is_true(helpers.process.is_running(processes.gateway))

    local admin, proxy = node:admin_client(), node:proxy_client()
    for name, port in pairs(ports) do
      assert.res_status(201, admin:post("/services", { body = { name = name, url = "http://127.0.0.1:" .. port } }))
      assert.res_status(201, admin:post("/services/" .. name .. "/routes", { body = { paths = { "/" .. name } } }))
    end
    local step = assert(proxy:post("/preprocess", { body = { text = "hello world" } }))
    assert.res_status(200, step)
    step = assert(proxy:post("/infer", { body = step.json() }))
    assert.res_status(200, step)
    step = assert(proxy:post("/postprocess", { body = step.json() }))
    assert.res_status(200, step)
    assert.same("Hello world.", step.json().result)

    -- Logs go to the container's own streams.
    helpers.wait_until(function()
      return (helpers.read_file(log) or ""):find("POST /postprocess", 1, true)
    end)
  end)

  it("finishes and ends with status 0 when the container is asked to stop", function()
    helpers.process.kill(processes.gateway.pid, helpers.process.signal.SIGQUIT)
    assert.same(0, helpers.process.wait(processes.gateway, 15))
  end)
end)
