-- SPDX-License-Identifier: Apache-2.0
local helpers = require "spec.helpers"
local cjson = helpers.cjson

for _, strategy in helpers.each_strategy() do
describe("Admin API: plugins #" .. strategy, function()
  local client

  local function call(status, method, path, body, headers)
    local res = assert(client:send({ method = method, path = path, body = body, headers = headers }))
    local text = assert.res_status(status, res)
    return text ~= "" and cjson.decode(text) or nil
  end

  local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }

  lazy_setup(function()
    helpers.get_db_utils(strategy)
    assert(helpers.start_kong())
    client = helpers.admin_client()
    call(201, "POST", "/services", { name = "s", host = "a.test" })
    call(201, "POST", "/services/s/routes", { name = "r", paths = { "/r" } })
    call(201, "POST", "/consumers", { username = "c" })
    client:close()
  end)
  lazy_teardown(function()
    helpers.stop_kong()
  end)
  before_each(function()
    client = helpers.admin_client()
  end)
  after_each(function()
    for _, row in ipairs(call(200, "GET", "/plugins").data) do
      call(204, "DELETE", "/plugins/" .. row.id)
    end
    client:close()
  end)

  it("take their config from a form, with the types of their own schema", function()
    local row = call(201, "POST", "/services/s/plugins",
      "name=rate-limiting&config.minute=20&config.policy=local", FORM)
    assert.same({ 20, "local" }, { row.config.minute, row.config.policy })
    assert.same(call(200, "GET", "/services/s").id, row.service.id)
    assert.same({ cjson.null, cjson.null }, { row.route, row.consumer })
    assert.same({ "grpc", "grpcs", "http", "https" }, row.protocols)
    assert.is_true(row.enabled)
  end)

  it("belong to the parent below which they are posted", function()
    assert.is_string(call(201, "POST", "/routes/r/plugins", { name = "key-auth" }).route.id)
    local row = call(201, "POST", "/consumers/c/plugins", { name = "rate-limiting", config = { minute = 1 } })
    assert.is_string(row.consumer.id)
    assert.same({ data = { row }, next = cjson.null }, call(200, "GET", "/consumers/c/plugins"))
    assert.same("c", call(200, "GET", "/plugins/" .. row.id .. "/consumer").username)
    call(404, "GET", "/services/s/plugins/" .. row.id)
  end)

  it("exist once per scope", function()
    call(201, "POST", "/services/s/plugins", { name = "key-auth" })
    local err = call(409, "POST", "/services/s/plugins", { name = "key-auth" })
    local service = { id = call(200, "GET", "/services/s").id }
    assert.same({ code = 5, name = "unique constraint violation",
      fields = { name = "key-auth", consumer = cjson.null, route = cjson.null, service = service },
      message = ([[UNIQUE violation detected on '{consumer=null,name="key-auth",route=null,service={id="%s"}}']])
        :format(service.id) }, err)
    call(201, "POST", "/plugins", { name = "key-auth" })
    call(201, "POST", "/routes/r/plugins", { name = "key-auth" })
  end)

  it("are changed member by member, without their name", function()
    local row = call(201, "POST", "/plugins", { name = "rate-limiting", config = { minute = 5, hour = 10 } })
    local changed = call(200, "PATCH", "/plugins/" .. row.id, "config.minute=6", FORM)
    assert.same({ 6, 10 }, { changed.config.minute, changed.config.hour })
    changed = call(200, "PATCH", "/plugins/" .. row.id, { enabled = false })
    assert.same({ false, 6 }, { changed.enabled, changed.config.minute })
  end)

  it("are found by their instance name", function()
    local row = call(201, "POST", "/plugins", { name = "key-auth", instance_name = "mine" })
    assert.same(row, call(200, "GET", "/plugins/mine"))
    assert.same(row.id, call(200, "PUT", "/plugins/mine", { name = "key-auth" }).id)
  end)

  it("must be loaded and must accept their config", function()
    assert.same({ name = "required field missing" }, call(400, "POST", "/plugins", {}).fields)
    assert.same({ name = "plugin 'nope' not enabled; add it to the 'plugins' configuration property" },
      call(400, "POST", "/plugins", { name = "nope" }).fields)
    assert.same({ config = { nope = "unknown field" } },
      call(400, "POST", "/plugins", { name = "key-auth", config = { nope = 1 } }).fields)
  end)

  it("may refuse a scope", function()
    assert.same({ consumer = "value must be null" },
      call(400, "POST", "/consumers/c/plugins", { name = "key-auth" }).fields)
  end)

  it("must share a protocol with their route, or with a route of their service", function()
    assert.same({ protocols = "must match the associated route's protocols" },
      call(400, "POST", "/routes/r/plugins", { name = "key-auth", protocols = { "grpc" } }).fields)
    assert.same({ protocols = "must match the protocols of at least one route pointing to this Plugin's service" },
      call(400, "POST", "/services/s/plugins", { name = "key-auth", protocols = { "grpc" } }).fields)
    call(201, "POST", "/services", { name = "routeless", host = "a.test" })
    call(201, "POST", "/services/routeless/plugins", { name = "key-auth", protocols = { "grpc" } })
  end)

  it("go when their scope goes", function()
    call(201, "POST", "/consumers", { username = "leaving" })
    local row = call(201, "POST", "/consumers/leaving/plugins", { name = "rate-limiting", config = { minute = 1 } })
    call(204, "DELETE", "/consumers/leaving")
    call(404, "GET", "/plugins/" .. row.id)
  end)
end)
end
