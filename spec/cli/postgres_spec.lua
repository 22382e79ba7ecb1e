-- SPDX-License-Identifier: Apache-2.0
-- The command line against a real PostgreSQL: nodes that bootstrap at once, and one line for each way in
-- which the database can be wrong.
local database = require "spec.support.database"
local node = require "spec.support.node"
local ports = require "spec.support.ports"
local process = require "spec.support.process"

if not database.postgres() then
  return -- started without scripts/with-services
end

describe("The command line with PostgreSQL", function()
  local gateway, name

  before_each(function()
    gateway = node.new()
    name = database.create()
  end)
  after_each(function()
    gateway:destroy()
    database.drop(name)
  end)

  local function options(changes)
    local env = database.options(name)
    for key, value in pairs(changes or {}) do
      env[key] = value
    end
    return env
  end

  -- Starting must fail with one line that has all of `texts`.
  local function refused(changes, ...)
    local status, _, err = gateway:command("start", options(changes))
    assert.same(1, status)
    local line = err:match("^Error: ([^\n]+)\n\n")
    assert.is_not_nil(line, err)
    for _, text in ipairs({ ... }) do
      assert.matches(text, line, 1, true)
    end
  end

  it("lets several nodes bootstrap at once", function()
    local nodes, handles = {}, {}
    for i = 1, 4 do
      nodes[i] = node.new()
      handles[i] = process.spawn({ node.binary(), "migrations", "bootstrap" },
        { env = nodes[i]:environment(options()) })
    end
    for i = 1, 4 do
      while process.is_running(handles[i]) do
        require("socket").select(nil, nil, 0.01)
      end
      assert.same(0, process.stop(handles[i]))
      nodes[i]:destroy()
    end
    local status = gateway:command("migrations list", options())
    assert.same(0, status)
  end)

  it("says what to do with a database that was not bootstrapped", function()
    refused({}, "Run 'sluice migrations bootstrap'")
  end)

  it("names a wrong password, an unreachable server and a missing database", function()
    refused({ pg_password = "wrong" }, "password", 'user "sluice"')
    local port = ports.free({ "127.0.0.1" })
    refused({ pg_port = port }, "127.0.0.1:" .. port, "Connection refused")
    refused({ pg_database = "no_such_database" }, 'database "no_such_database" does not exist')
  end)
end)
