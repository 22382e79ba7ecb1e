-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

local JSON = { ["Content-Type"] = "application/json" }

describe("Plugin: file-log", function()
  local client, admin_client
  local folder = helpers.test_conf.prefix

  local function get(host, path)
    local res = assert(client:get(path or "/", { headers = { host = host } }))
    res.read_body()
    return res.status
  end

  -- The records of a file, once there are `count` of them.
  local function records(path, count)
    local list
    helpers.wait_until(function()
      local text = helpers.read_file(path) or ""
      list = {}
      for line in text:gmatch("([^\n]*)\n") do
        list[#list + 1] = cjson.decode(line)
      end
      return #list >= count
    end)
    assert.same(count, #list)
    return list
  end

  lazy_setup(function()
    local bp = helpers.get_db_utils(nil, { "routes", "services", "plugins", "consumers" }, { "file-log" })
    local function logged(host, config)
      config.path = config.path or folder .. "/" .. host .. ".log"
      bp.plugins:insert({ name = "file-log", route = bp.routes:insert({ hosts = { host } }), config = config })
    end
    local consumer = bp.consumers:insert({ username = "bo" })
    bp.keyauth_credentials:insert({ consumer = consumer, key = "secret" })
    logged("plain.test", {})
    logged("mixed.test", {})
    logged("kept.test", {})
    logged("reopen.test", { reopen = true })
    logged("missing.test", { path = folder .. "/no-such-folder/x.log" })
    logged("pipe.test", { path = folder .. "/pipe" })
    logged("full.test", { path = "/dev/full" })
    assert(helpers.start_kong({ plugins = "bundled" }))
  end)
  lazy_teardown(helpers.stop_kong)
  before_each(function()
    client = helpers.proxy_client()
    admin_client = helpers.admin_client()
  end)
  after_each(function()
    client:close()
    admin_client:close()
  end)

  it("writes one line of JSON per request", function()
    get("plain.test", "/status/200?a=1")
    get("plain.test", "/status/404")
    local list = records(folder .. "/plain.test.log", 2)
    assert.same("/status/200?a=1", list[1].request.uri)
    assert.same("plain.test", list[1].request.headers.host)
    assert.same(200, list[1].response.status)
    assert.same(404, list[2].response.status)
    assert.same("upstream", list[2].source)
    assert.same("127.0.0.1", list[1].client_ip)
  end)

  it("makes a file that everyone may read", function()
    get("plain.test")
    helpers.wait_until(function() return helpers.read_file(folder .. "/plain.test.log") end)
    local status, out = helpers.process.run { "stat", "-c", "%a", folder .. "/plain.test.log" }
    assert.same(0, status)
    assert.same("644", (out:gsub("%s+$", "")))
  end)

  it("never mixes the lines of workers", function()
    local clients = {}
    for index = 1, 8 do
      clients[index] = helpers.proxy_client()
    end
    local long = ("x"):rep(6000)
    for index = 1, 10 do
      for at, each in ipairs(clients) do
        local res = assert(each:get("/?n=" .. (index * 8 + at),
          { headers = { host = "mixed.test", ["X-Long"] = long } }))
        res.read_body()
      end
    end
    for _, each in ipairs(clients) do
      each:close()
    end
    local seen = {}
    for _, record in ipairs(records(folder .. "/mixed.test.log", 80)) do
      assert.same(long, record.request.headers["x-long"])
      seen[record.request.querystring.n] = true
    end
    for n = 9, 88 do
      assert.is_true(seen[tostring(n)])
    end
  end)

  it("goes on with the file that was moved away, as long as it is not told to open anew", function()
    local path = folder .. "/kept.test.log"
    get("kept.test")
    records(path, 1)
    -- One connection stays with one worker, and each worker has the file open for itself.
    assert(os.rename(path, path .. ".1"))
    get("kept.test")
    records(path .. ".1", 2)
  end)

  it("opens the file anew for every record when told so", function()
    local path = folder .. "/reopen.test.log"
    get("reopen.test")
    records(path, 1)
    assert(os.rename(path, path .. ".1"))
    get("reopen.test")
    records(path, 1)
    records(path .. ".1", 1)
  end)

  it("complains once about a file that cannot be opened, and serves the request", function()
    for _ = 1, 5 do
      assert.same(200, get("missing.test"))
    end
    assert.errlog().has.line("failed to open the file '" .. folder .. "/no-such-folder/x.log': No such file")
    local _, count = helpers.read_file(helpers.test_conf.error_log):gsub("failed to open the file '[^\n]*x%.log'", "")
    assert.same(1, count)
  end)

  it("does not wait for the reader of a pipe", function()
    local status = helpers.process.run { "mkfifo", folder .. "/pipe" }
    assert.same(0, status)
    assert.same(200, get("pipe.test"))
    assert.errlog().has.line("failed to open the file '" .. folder .. "/pipe'")
  end)

  it("drops a record that cannot be written", function()
    assert.same(200, get("full.test"))
    assert.same(200, get("full.test"))
    assert.errlog().has.line("failed to write to the file '/dev/full': No space left on device")
  end)

  it("logs requests that the gateway answered itself", function()
    local bp = helpers.blueprint.new { host = helpers.mock_upstream_host, port = helpers.mock_upstream_port }
    bp.admin = helpers.admin_client
    local route = bp.routes:insert({ hosts = { "refused.test" } })
    bp.plugins:insert({ name = "key-auth", route = route })
    bp.plugins:insert({ name = "file-log", route = route, config = { path = folder .. "/refused.log" } })
    assert.same(401, get("refused.test"))
    local list = records(folder .. "/refused.log", 1)
    assert.same(401, list[1].response.status)
    assert.same("kong", list[1].source)
    assert.is_nil(list[1].consumer)
    assert.same(200, get("refused.test", "/?apikey=secret"))
    list = records(folder .. "/refused.log", 2)
    assert.same("bo", list[2].consumer.username)
    assert.truthy(list[2].authenticated_entity.id)
  end)

  describe("configuration", function()
    local function post(config)
      return admin_client:post("/plugins", { body = { name = "file-log", config = config }, headers = JSON })
    end

    local function refusal(config)
      return cjson.decode(assert.res_status(400, post(config))).fields.config
    end

    it("has Kong's defaults", function()
      local row = cjson.decode(assert.res_status(201, post({ path = folder .. "/default.log" })))
      assert.same({ path = folder .. "/default.log", reopen = false, custom_fields_by_lua = cjson.null }, row.config)
      assert.res_status(204, admin_client:delete("/plugins/" .. row.id))
    end)

    it("needs a path", function()
      assert.same("required field missing", refusal({}).path)
    end)

    it("refuses what is no file name", function()
      for _, path in ipairs { "/tmp/a*b", "/tmp/a&b", "/tmp/a%b", "/tmp/a\\b", "/tmp/`a`", " /tmp/a", "/tmp/a " } do
        assert.same("not a valid filename", refusal({ path = path }).path, path)
      end
    end)

    it("refuses fields made by Lua code, which runs in no C plugin, unless there are none", function()
      assert.matches("is not available",
        refusal({ path = "/tmp/x", custom_fields_by_lua = { a = "return 1" } }).custom_fields_by_lua)
      local res = admin_client:post("/plugins", { headers = JSON,
        body = '{"name":"file-log","config":{"path":"/dev/null","custom_fields_by_lua":{}}}' })
      local row = cjson.decode(assert.res_status(201, res))
      assert.res_status(204, admin_client:delete("/plugins/" .. row.id))
    end)
  end)
end)
