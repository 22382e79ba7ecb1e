-- SPDX-License-Identifier: Apache-2.0
-- The README's tutorial, word for word, against every store, with the real FastAPI services.
local helpers = require "spec.helpers"
local transcript = require "spec.support.transcript"

-- Twenty requests a minute are counted by the clock's minute: begin early enough in one.
local function wait_for_room_in_this_minute()
  helpers.wait_until(function() return helpers.now() % 60 < 35 end, 40, 0.1)
end

for _, strategy in helpers.each_strategy() do
  describe("README tutorial #" .. strategy, function()
    local services, steps, log_path, key_path = {}, nil, nil, nil

    lazy_setup(function()
      for _, name in ipairs { "preprocess", "infer", "postprocess" } do
        services[name] = helpers.upstream.fastapi(name)
      end
      helpers.get_db_utils(strategy)
      assert(helpers.start_kong())
      log_path = helpers.test_conf.prefix .. "/preprocess.log"
      key_path = helpers.test_conf.prefix .. "/key.json"
      steps = transcript.read("README.md")
      wait_for_room_in_this_minute()
      transcript.run(steps, {
        { "localhost:8000", "localhost:" .. helpers.get_proxy_port() },
        { "localhost:8001", "localhost:" .. helpers.get_admin_port() },
        { "localhost:9001", "localhost:" .. services.preprocess.port },
        { "localhost:9002", "localhost:" .. services.infer.port },
        { "localhost:9003", "localhost:" .. services.postprocess.port },
        { "/tmp/preprocess.log", log_path },
        { "/tmp/key.json", key_path },
      })
    end)

    lazy_teardown(function()
      helpers.stop_kong()
      for _, service in pairs(services) do
        helpers.upstream.stop(service)
      end
    end)

    for index, step in ipairs(transcript.read("README.md")) do
      it(("prints what README.md:%d says: %s"):format(step.line, step.command:sub(1, 70)), function()
        local ran = steps[index]
        if not transcript.matches(ran.expected, ran.output) then
          assert.same(ran.expected, ran.output)
        end
      end)
    end

    it("answers with rate limit headers, and with Retry-After once the minute is used up", function()
      local seen = {}
      for _, step in ipairs(steps) do
        local output = step.output:gsub("\r", "")
        for _, name in ipairs { "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After" } do
          local value = output:match("\n" .. name:gsub("-", "%%-") .. ": (%d+)\n")
          if value then
            seen[name] = tonumber(value)
          end
        end
      end
      assert.same(20, seen["RateLimit-Limit"])
      assert.same(0, seen["RateLimit-Remaining"])
      assert.is_true(seen["RateLimit-Reset"] >= 1 and seen["RateLimit-Reset"] <= 60)
      assert.is_true(seen["Retry-After"] >= 1 and seen["Retry-After"] <= 60)
    end)

    it("logs one JSON record per request to the service, refused ones included", function()
      local records = {}
      -- 401 without and with a wrong key, 200, then 20 in a row, then one more.
      helpers.wait_until(function()
        records = {}
        for line in (helpers.read_file(log_path) or ""):gmatch("[^\n]+") do
          records[#records + 1] = assert(helpers.cjson.decode(line))
        end
        return #records >= 24
      end)
      assert.same(24, #records)
      local record = records[3]
      assert.same(200, record.response.status)
      assert.same("POST", record.request.method)
      assert.same("/preprocess", record.request.uri)
      assert.same("127.0.0.1", record.client_ip)
      assert.same("ai-client", record.consumer.username)
      assert.same("preprocess", record.service.name)
      assert.same({ "/preprocess" }, record.route.paths)
      assert.same("upstream", record.source)
      assert.same(services.preprocess.port, record.tries[1].port)
      assert.is_number(record.latencies.request)
      assert.is_number(record.started_at)
      assert.same(32, #record.request.id)
      assert.same({ 401, 401, 200 }, {
        records[1].response.status, records[2].response.status, records[3].response.status })
      assert.same("kong", records[1].source)
      assert.same(429, records[24].response.status)
    end)

    it("asks the upstream for / by default and for the client's path with strip_path=false", function()
      local admin, proxy = helpers.admin_client(), helpers.proxy_client()
      assert.res_status(201, admin:post("/services", {
        body = { name = "echo", url = helpers.mock_upstream_url } }))
      assert.res_status(201, admin:post("/services/echo/routes", { body = { paths = { "/stripped" } } }))
      assert.res_status(201, admin:post("/services/echo/routes", {
        body = { paths = { "/kept" }, strip_path = false } }))
      local res = assert(proxy:get("/stripped"))
      assert.res_status(200, res)
      assert.same("/", res.json().uri)
      res = assert(proxy:get("/kept/below?a=1"))
      assert.res_status(200, res)
      assert.same("/kept/below?a=1", res.json().uri)
      -- The sample services know both.
      assert.res_status(201, admin:post("/services/infer/routes", {
        body = { name = "whole", paths = { "/infer" }, headers = { ["x-whole"] = { "1" } }, strip_path = false } }))
      res = assert(proxy:post("/infer", { body = { text = "both" }, headers = { ["X-Whole"] = "1" } }))
      assert.res_status(200, res)
      assert.same("BOTH", res.json().output)
    end)
  end)
end
