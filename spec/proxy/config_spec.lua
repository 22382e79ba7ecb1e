-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

for _, strategy in helpers.each_strategy() do
  describe("Live configuration [" .. strategy .. "]", function()
    local admin

    lazy_setup(function()
      helpers.get_db_utils(strategy)
      assert(helpers.start_kong({ workers = "2" }))
    end)
    lazy_teardown(helpers.stop_kong)
    before_each(function() admin = helpers.admin_client() end)
    after_each(function() admin:close() end)

    local function post(path, body)
      return cjson.decode(assert.res_status(201, admin:post(path, { body = body,
        headers = { ["Content-Type"] = "application/json" } })))
    end

    -- Asks on many connections, so that every worker answers.
    local function everywhere(path, status)
      for _ = 1, 12 do
        local client = helpers.proxy_client()
        assert.res_status(status, client:get(path))
        client:close()
      end
    end

    it("is seen by the next request on every worker, as soon as the write has answered", function()
      post("/services", { name = "live", url = helpers.mock_upstream_url })
      for i = 1, 10 do
        local route = post("/services/live/routes", { paths = { "/live" .. i } })
        everywhere("/live" .. i, 200)
        assert.res_status(200, admin:patch("/routes/" .. route.id, { body = { paths = { "/moved" .. i } },
          headers = { ["Content-Type"] = "application/json" } }))
        everywhere("/live" .. i, 404)
        everywhere("/moved" .. i, 200)
        assert.res_status(204, admin:delete("/routes/" .. route.id))
        everywhere("/moved" .. i, 404)
      end
    end)

    it("takes plugins, consumers and keys away with what they belong to", function()
      post("/services", { name = "owner", url = helpers.mock_upstream_url })
      local route = post("/services/owner/routes", { paths = { "/owned" } })
      post("/services/owner/plugins", { name = "key-auth" })
      local consumer = post("/consumers", { username = "owner" })
      post("/consumers/owner/key-auth", { key = "own-key" })
      everywhere("/owned", 401)
      everywhere("/owned?apikey=own-key", 200)
      assert.res_status(204, admin:delete("/consumers/" .. consumer.id))
      everywhere("/owned?apikey=own-key", 401)
      assert.res_status(204, admin:delete("/routes/" .. route.id))
      everywhere("/owned", 404)
    end)

    it("leaves out routes of a disabled service", function()
      post("/services", { name = "sleepy", url = helpers.mock_upstream_url, enabled = false })
      post("/services/sleepy/routes", { paths = { "/sleepy" } })
      everywhere("/sleepy", 404)
      assert.res_status(200, admin:patch("/services/sleepy", { body = { enabled = true },
        headers = { ["Content-Type"] = "application/json" } }))
      everywhere("/sleepy", 200)
    end)

    it("is there again after a restart", function()
      post("/services", { name = "lasting", url = helpers.mock_upstream_url })
      post("/services/lasting/routes", { paths = { "/lasting" } })
      assert(helpers.restart_kong({ workers = "2" }))
      everywhere("/lasting", 200)
    end)

    it("does not disturb a request that is on its way", function()
      local client = helpers.proxy_client()
      post("/services", { name = "slow", url = helpers.mock_upstream_url })
      local route = post("/services/slow/routes", { paths = { "/slow" } })
      local res = client:get("/slow/drip?count=4&delay=0.1")
      assert.res_status(204, admin:delete("/routes/" .. route.id))
      assert.res_status(200, res)
      client:close()
      everywhere("/slow", 404)
    end)
  end)
end
