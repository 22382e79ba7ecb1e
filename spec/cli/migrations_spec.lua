-- SPDX-License-Identifier: Apache-2.0
-- `sluice migrations`, against the embedded store. The same commands run against PostgreSQL wherever a
-- spec starts a node on it.
local cjson = require "cjson"
local node = require "spec.support.node"

describe("sluice migrations", function()
  local gateway

  before_each(function()
    gateway = node.new()
  end)

  after_each(function()
    gateway:destroy()
  end)

  local function run(arguments, env)
    return gateway:command("migrations " .. arguments, env)
  end

  it("fails without or with an unknown verb", function()
    for _, verb in ipairs { "", "sideways" } do
      local status, _, err = run(verb)
      assert.same(1, status)
      assert.matches("expected bootstrap, up, finish, list, reset or status", err, 1, true)
    end
  end)

  it("bootstraps once", function()
    local status, out = run("bootstrap")
    assert.same(0, status)
    assert.matches("Database is up%-to%-date\n$", out)
    status, out = run("bootstrap")
    assert.same(0, status)
    assert.same("Database already bootstrapped\n", out)
  end)

  it("tells the state by the exit status of list", function()
    local status, out = run("list")
    assert.same(3, status)
    assert.matches("needs bootstrapping", out)
    run("bootstrap -q")
    status, out = run("list")
    assert.same(0, status)
    assert.matches("^Executed migrations:\n  0001_", out)
  end)

  it("has nothing to run or finish afterwards", function()
    run("bootstrap")
    local status, out = run("up")
    assert.same(0, status)
    assert.same("Database is already up-to-date\n", out)
    status, out = run("finish")
    assert.same(0, status)
    assert.same("No pending migrations to finish\n", out)
  end)

  it("does not go up before it was bootstrapped", function()
    for _, verb in ipairs { "up", "finish" } do
      local status, _, err = run(verb)
      assert.same(1, status)
      assert.matches("run 'sluice migrations bootstrap'", err, 1, true)
    end
  end)

  it("prints the state as JSON", function()
    local status, out = run("status")
    assert.same(0, status)
    assert.is_true(cjson.decode(out).needs_bootstrap)
    run("bootstrap")
    status, out = run("status")
    assert.same(0, status)
    local state = cjson.decode(out)
    assert.is_false(state.needs_bootstrap)
    assert.is_false(state.new_migrations)
    assert.matches("^0001_", state.executed[1])
  end)

  it("resets only when told to", function()
    run("bootstrap")
    local status, _, err = run("reset")
    assert.same(1, status)
    assert.matches("not a tty: invoke 'reset' non-interactively with the --yes flag", err, 1, true)
    assert.same(0, run("list"))
    local reset_status, out = run("reset --yes")
    assert.same(0, reset_status)
    assert.matches("Database successfully reset\n$", out)
    assert.same(3, run("list"))
  end)

  it("bootstraps anew with --force and is silent with --quiet", function()
    run("bootstrap")
    local status, out = run("bootstrap --force --quiet")
    assert.same(0, status)
    assert.same("", out)
    assert.same(0, run("list"))
  end)

  it("refuses a store without a schema", function()
    local status, _, err = run("up", { database = "off" })
    assert.same(1, status)
    assert.matches("database = off has no migrations", err, 1, true)
  end)

  it("names what keeps the store from being opened", function()
    local status, _, err = run("list", { sqlite_path = "/nonexistent/sluice.db" })
    assert.same(1, status)
    assert.matches("/nonexistent/sluice.db", err, 1, true)
  end)
end)
