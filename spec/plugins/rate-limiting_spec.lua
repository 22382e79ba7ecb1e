-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

local JSON = { ["Content-Type"] = "application/json" }
local HOUR = 3600

describe("Plugin: rate-limiting", function()
  local client, admin_client, shared_service, al, bo

  local function get(host, headers, path)
    local all = { host = host }
    for name, value in pairs(headers or {}) do
      all[name] = value
    end
    local res = assert(client:get(path or "/", { headers = all }))
    res.read_body()
    return res
  end

  -- Statuses of `count` requests.
  local function statuses(count, ...)
    local list = {}
    for index = 1, count do
      list[index] = get(...).status
    end
    return list
  end

  lazy_setup(function()
    local bp = helpers.get_db_utils(nil, { "routes", "services", "plugins", "consumers" }, { "rate-limiting" })
    local function limited(host, config, route)
      route = route or {}
      route.hosts = { host }
      return bp.plugins:insert({ name = "rate-limiting", route = bp.routes:insert(route), config = config })
    end
    al = bp.consumers:insert({ username = "al" })
    bo = bp.consumers:insert({ username = "bo" })
    bp.keyauth_credentials:insert({ consumer = al, key = "al-1" })
    bp.keyauth_credentials:insert({ consumer = al, key = "al-2" })
    bp.keyauth_credentials:insert({ consumer = bo, key = "bo" })
    shared_service = bp.services:insert()

    limited("hour.test", { hour = 3 })
    limited("many.test", { hour = 2, day = 5, year = 5 })
    limited("all.test", { second = 1000, minute = 1001, hour = 1002, day = 1003, month = 1004, year = 1005 })
    limited("fraction.test", { hour = 1.5 })
    limited("second.test", { second = 2 })
    limited("burst.test", { day = 20 })
    limited("quiet.test", { hour = 1, hide_client_headers = true })
    limited("own-words.test", { hour = 1, error_code = 403, error_message = "enough \"for\" now" })
    limited("header.test", { hour = 2, limit_by = "header", header_name = "X-Client" })
    limited("ip.test", { hour = 2, limit_by = "ip" })
    limited("path.test", { hour = 2, limit_by = "path", path = "/limited" })
    for _, host in ipairs { "service-a.test", "service-b.test" } do
      limited(host, { hour = 2, limit_by = "service" }, { service = shared_service })
    end
    for by, host in pairs { consumer = "consumer.test", credential = "credential.test" } do
      local plugin = limited(host, { hour = 2, limit_by = by })
      bp.plugins:insert({ name = "key-auth", route = plugin.route })
    end
    assert(helpers.start_kong({ plugins = "bundled", trusted_ips = "127.0.0.1" }))
  end)
  lazy_teardown(helpers.stop_kong)
  before_each(function()
    client = helpers.proxy_client()
    admin_client = helpers.admin_client()
    -- A test must not run over the end of an hour.
    helpers.wait_until(function() return os.time() % HOUR < HOUR - 10 end, 15)
  end)
  after_each(function()
    client:close()
    admin_client:close()
  end)

  it("lets as many requests pass as the limit says and counts them down", function()
    for left = 2, 0, -1 do
      local res = get("hour.test")
      assert.same(200, res.status)
      assert.same("3", res.headers["X-RateLimit-Limit-Hour"])
      assert.same(tostring(left), res.headers["X-RateLimit-Remaining-Hour"])
      assert.same("3", res.headers["RateLimit-Limit"])
      assert.same(tostring(left), res.headers["RateLimit-Remaining"])
      local reset = HOUR - os.time() % HOUR
      assert.truthy(math.abs(tonumber(res.headers["RateLimit-Reset"]) - reset) <= 1)
      assert.is_nil(res.headers["Retry-After"])
    end
    local res = client:get("/", { headers = { host = "hour.test" } })
    assert.same("API rate limit exceeded", cjson.decode(assert.res_status(429, res)).message)
    assert.same("0", res.headers["X-RateLimit-Remaining-Hour"])
    assert.same(res.headers["RateLimit-Reset"], res.headers["Retry-After"])
  end)

  it("refuses when one of several periods is used up and then counts in none", function()
    assert.same({ 200, 200, 429, 429 }, statuses(4, "many.test"))
    local res = get("many.test")
    assert.same(429, res.status)
    assert.same("0", res.headers["X-RateLimit-Remaining-Hour"])
    assert.same("3", res.headers["X-RateLimit-Remaining-Day"])
    assert.same("3", res.headers["X-RateLimit-Remaining-Year"])
    assert.same("2", res.headers["RateLimit-Limit"])
  end)

  it("tells about every period, and most of all about the one closest to its limit", function()
    local res = get("all.test")
    for index, period in ipairs { "Second", "Minute", "Hour", "Day", "Month", "Year" } do
      assert.same(tostring(999 + index), res.headers["X-RateLimit-Limit-" .. period])
      assert.same(tostring(998 + index), res.headers["X-RateLimit-Remaining-" .. period])
    end
    assert.same("1000", res.headers["RateLimit-Limit"])
    assert.same("1", res.headers["RateLimit-Reset"])
  end)

  it("lets a fraction of a request pass as a whole one", function()
    local res = get("fraction.test")
    assert.same("1.5", res.headers["X-RateLimit-Limit-Hour"])
    assert.same("0.5", res.headers["X-RateLimit-Remaining-Hour"])
    assert.same({ 200, 429 }, statuses(2, "fraction.test"))
  end)

  it("starts anew with the next period", function()
    helpers.wait_until(function() return get("second.test").status == 429 end)
    helpers.wait_until(function() return get("second.test").status == 200 end)
  end)

  it("is exact when all workers are asked at once", function()
    local clients, passed = {}, 0
    for index = 1, 8 do
      clients[index] = helpers.proxy_client()
    end
    for _ = 1, 5 do
      for _, each in ipairs(clients) do
        local res = assert(each:get("/", { headers = { host = "burst.test" } }))
        res.read_body()
        passed = passed + (res.status == 200 and 1 or 0)
      end
    end
    for _, each in ipairs(clients) do
      each:close()
    end
    assert.same(20, passed)
  end)

  it("keeps its numbers to itself when told so", function()
    for _, status in ipairs { 200, 429 } do
      local res = get("quiet.test")
      assert.same(status, res.status)
      for name in pairs(res.headers) do
        assert.is_nil(name:lower():find("ratelimit", 1, true))
        assert.is_not.same("retry-after", name:lower())
      end
    end
  end)

  it("refuses with a status and a message of one's own", function()
    get("own-words.test")
    local res = client:get("/", { headers = { host = "own-words.test" } })
    assert.same('enough "for" now', cjson.decode(assert.res_status(403, res)).message)
  end)

  describe("counts together", function()
    it("the requests of a consumer, whichever credential they bring", function()
      assert.same({ 200 }, statuses(1, "consumer.test", { apikey = "al-1" }))
      assert.same({ 200, 429 }, statuses(2, "consumer.test", { apikey = "al-2" }))
      assert.same({ 200 }, statuses(1, "consumer.test", { apikey = "bo" }))
    end)

    it("the requests of a credential", function()
      assert.same({ 200, 200, 429 }, statuses(3, "credential.test", { apikey = "al-1" }))
      assert.same({ 200 }, statuses(1, "credential.test", { apikey = "al-2" }))
    end)

    it("the requests with one value of a header, and those without it by address", function()
      assert.same({ 200, 200, 429 }, statuses(3, "header.test", { ["X-Client"] = "one" }))
      assert.same({ 200, 200, 429 }, statuses(3, "header.test", { ["X-Client"] = ("long"):rep(500) }))
      assert.same({ 200, 200, 429 }, statuses(3, "header.test"))
    end)

    it("the requests from one address behind a trusted proxy", function()
      assert.same({ 200, 200, 429 }, statuses(3, "ip.test", { ["X-Real-IP"] = "10.0.0.1" }))
      assert.same({ 200, 200, 429 }, statuses(3, "ip.test", { ["X-Real-IP"] = "10.0.0.2" }))
    end)

    it("the requests for one path, and the others by address", function()
      assert.same({ 200, 200, 429 }, statuses(3, "path.test", {}, "/limited?a"))
      assert.same({ 200, 200, 429 }, statuses(3, "path.test", {}, "/other"))
    end)

    it("nothing of plugins that are bound to different routes", function()
      assert.same({ 200, 200, 429 }, statuses(3, "service-a.test"))
      assert.same({ 200, 200, 429 }, statuses(3, "service-b.test"))
    end)
  end)

  it("goes on counting when its configuration changes", function()
    local bp = helpers.blueprint.new { host = helpers.mock_upstream_host, port = helpers.mock_upstream_port }
    bp.admin = helpers.admin_client
    local plugin = bp.plugins:insert({ name = "rate-limiting", route = bp.routes:insert({ hosts = { "live.test" } }),
      config = { hour = 5 } })
    assert.same({ 200, 200, 200 }, statuses(3, "live.test"))
    bp.plugins:update(plugin, { config = { hour = 4 } })
    assert.same({ 200, 429 }, statuses(2, "live.test"))
    bp.plugins:update(plugin, { config = { hour = 2 } })
    assert.same("0", get("live.test").headers["X-RateLimit-Remaining-Hour"])
  end)

  describe("configuration", function()
    local function post(config)
      return admin_client:post("/plugins", { body = { name = "rate-limiting", config = config }, headers = JSON })
    end

    local function refusal(config)
      return cjson.decode(assert.res_status(400, post(config)))
    end

    it("has Kong's defaults", function()
      local row = cjson.decode(assert.res_status(201, post({ minute = 10 })))
      local null = cjson.null
      assert.same(10, row.config.minute)
      assert.same(null, row.config.second)
      assert.same("consumer", row.config.limit_by)
      assert.same("local", row.config.policy)
      assert.is_true(row.config.fault_tolerant)
      assert.is_false(row.config.hide_client_headers)
      assert.same(429, row.config.error_code)
      assert.same("API rate limit exceeded", row.config.error_message)
      assert.same(-1, row.config.sync_rate)
      assert.same({ host = null, port = 6379, timeout = 2000, username = null, password = null, database = 0,
        ssl = false, ssl_verify = false, server_name = null }, row.config.redis)
      assert.same(6379, row.config.redis_port)
      assert.res_status(204, admin_client:delete("/plugins/" .. row.id))
    end)

    it("takes the flat names of former releases", function()
      local row = cjson.decode(assert.res_status(201, post({ minute = 10, redis_host = "r.test", redis_database = 2 })))
      assert.same("r.test", row.config.redis.host)
      assert.same(2, row.config.redis.database)
      assert.same("r.test", row.config.redis_host)
      assert.res_status(204, admin_client:delete("/plugins/" .. row.id))
    end)

    it("needs a limit above nothing", function()
      assert.matches("at least one of these fields must be non%-empty: 'config.second'", refusal({}).message)
      assert.same("value must be greater than 0", refusal({ second = 0 }).fields.config.second)
    end)

    it("refuses a longer period with a lower limit", function()
      assert.matches("The limit for minute(5.0) cannot be lower than the limit for second(10.0)",
        refusal({ second = 10, minute = 5 }).message, 1, true)
      assert.matches("The limit for year(9.0) cannot be lower than the limit for hour(10.5)",
        refusal({ hour = 10.5, year = 9 }).message, 1, true)
    end)

    it("needs what limit_by names", function()
      assert.same("required field missing", refusal({ hour = 1, limit_by = "header" }).fields.config.header_name)
      assert.same("required field missing", refusal({ hour = 1, limit_by = "path" }).fields.config.path)
      assert.same("should start with: /",
        refusal({ hour = 1, limit_by = "path", path = "a" }).fields.config.path)
      assert.truthy(refusal({ hour = 1, limit_by = "header", header_name = "a b" }).fields.config.header_name)
    end)

    it("refuses policies that this build does not have, and says which it has", function()
      for _, policy in ipairs { "redis", "cluster" } do
        local message = refusal({ hour = 1, policy = policy, redis = { host = "r.test" } }).fields.config.policy
        assert.matches("only 'local' is", message, 1, true)
      end
      assert.matches("expected one of: local, cluster, redis",
        refusal({ hour = 1, policy = "other" }).fields.config.policy, 1, true)
      assert.matches("sync_rate can only be used with the redis policy",
        refusal({ hour = 1, sync_rate = 1 }).message, 1, true)
    end)
  end)
end)
