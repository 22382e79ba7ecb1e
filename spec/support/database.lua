-- SPDX-License-Identifier: Apache-2.0
-- database: fresh stores for the specs. PostgreSQL is the one that scripts/with-services started.
local process = require "spec.support.process"

local database = {}
local count = 0

-- Where PostgreSQL is; nil if the spec was not started through scripts/with-services.
function database.postgres()
  local port = os.getenv("SLUICE_TEST_PG_PORT")
  return port and {
    host = os.getenv("SLUICE_TEST_PG_HOST"),
    port = tonumber(port),
    user = os.getenv("SLUICE_TEST_PG_USER"),
    password = os.getenv("SLUICE_TEST_PG_PASSWORD"),
  }
end

-- Runs one SQL statement; its output, one row a line, columns parted by "|".
function database.query(name, sql)
  local pg = assert(database.postgres(), "no PostgreSQL: run this spec through scripts/with-services")
  local status, out, err = process.run({ "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", pg.host, "-p",
    tostring(pg.port), "-U", pg.user, "-d", name, "-c", sql }, { env = { PGPASSWORD = pg.password } })
  assert(status == 0, err)
  return (out:gsub("\n$", ""))
end

-- An empty database of its own; its name.
function database.create()
  count = count + 1
  local name = ("spec_%d_%d"):format(require("posix.unistd").getpid(), count)
  database.query("postgres", "CREATE DATABASE " .. name)
  return name
end

function database.drop(name)
  database.query("postgres", "DROP DATABASE IF EXISTS " .. name .. " WITH (FORCE)")
end

-- The configuration keys of a node that uses this database.
function database.options(name)
  local pg = assert(database.postgres(), "no PostgreSQL: run this spec through scripts/with-services")
  return {
    database = "postgres", pg_host = pg.host, pg_port = pg.port, pg_user = pg.user,
    pg_password = pg.password, pg_database = name,
  }
end

return database
