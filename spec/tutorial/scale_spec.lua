-- SPDX-License-Identifier: Apache-2.0
-- A name that resolves to several addresses is several replicas: what `--scale preprocess=3` relies on.
local helpers = require "spec.helpers"

describe("a service whose name resolves to three addresses", function()
  local addresses = { "127.0.0.1", "127.0.0.2", "127.0.0.3" }
  local dns = helpers.dns_mock()
  local port = helpers.get_available_port(addresses)
  local replicas = {}

  local function publish(...)
    dns:clear("preprocess")
    for _, address in ipairs { ... } do
      dns:A { name = "preprocess", address = address, ttl = 1 }
    end
  end

  lazy_setup(function()
    for index, address in ipairs(addresses) do
      replicas[index] = helpers.upstream.fastapi("preprocess",
        { host = address, port = port, env = { SERVED_BY = "replica-" .. index } })
    end
    publish(unpack(addresses))
    local bp = helpers.get_db_utils()
    local service = bp.services:insert { name = "preprocess", url = "http://preprocess:" .. port }
    bp.routes:insert { service = service, paths = { "/preprocess" } }
    assert(helpers.start_kong(nil, nil, nil, { dns_mock = dns }))
  end)

  lazy_teardown(function()
    helpers.stop_kong()
    for _, replica in ipairs(replicas) do
      helpers.upstream.stop(replica)
    end
  end)

  -- Sends `count` requests; how many each replica answered, and how many were not answered with 200.
  local function spread(count)
    local client = helpers.proxy_client()
    local answered, failed = {}, 0
    for index = 1, count do
      local res = client:post("/preprocess", { body = { n = index } })
      local body = res and res.status == 200 and res.json()
      if body and body.input.n == index then
        local name = res.headers["X-Served-By"]
        answered[name] = (answered[name] or 0) + 1
      else
        failed = failed + 1
      end
    end
    client:close()
    return answered, failed
  end

  it("spreads requests evenly", function()
    local answered, failed = spread(60)
    assert.same(0, failed)
    for index = 1, 3 do
      assert.near(20, answered["replica-" .. index] or 0, 2)
    end
  end)

  it("fails no request when a replica stops, and asks it no more once DNS forgot it", function()
    spread(6) -- idle connections to every replica, one of which is about to go
    replicas[3].stopping = helpers.upstream.stop(replicas[3])
    local _, failed = spread(60)
    assert.same(0, failed)
    publish(addresses[1], addresses[2])
    helpers.wait_until(function()
      local answered
      answered, failed = spread(20)
      return failed == 0 and answered["replica-1"] == 10 and answered["replica-2"] == 10
    end, 10)
  end)

  it("finds a replica that appears within the record's time to live", function()
    replicas[3] = helpers.upstream.fastapi("preprocess",
      { host = addresses[3], port = port, env = { SERVED_BY = "replica-3" } })
    publish(unpack(addresses))
    local since = helpers.now()
    helpers.wait_until(function() return spread(6)["replica-3"] ~= nil end, 10)
    assert.is_true(helpers.now() - since < 3, "took " .. (helpers.now() - since) .. " s at a TTL of 1 s")
  end)
end)
