-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

describe("Plugin: hello-header", function()
  local proxy_client, admin_client, route

  lazy_setup(function()
    local bp = helpers.get_db_utils(nil, { "routes", "services", "plugins", "consumers" }, { "hello-header" })
    route = bp.routes:insert({ hosts = { "plain.test" } })
    local named = bp.routes:insert({ hosts = { "named.test" } })
    local consumer = bp.consumers:insert({ username = "bo" })
    bp.keyauth_credentials:insert({ consumer = consumer, key = "secret" })
    bp.plugins:insert({ name = "hello-header", route = route })
    bp.plugins:insert({ name = "key-auth", route = named })
    bp.plugins:insert({ name = "hello-header", route = named, config = { greeting = "hi", request_header = "X-To",
      response_header = "X-From", name_consumer = true } })
    assert(helpers.start_kong({ plugins = "bundled,hello-header" }))
  end)
  lazy_teardown(helpers.stop_kong)
  before_each(function()
    proxy_client = helpers.proxy_client()
    admin_client = helpers.admin_client()
  end)
  after_each(function()
    proxy_client:close()
    admin_client:close()
  end)

  it("greets the upstream and the client with its defaults", function()
    local res = proxy_client:get("/", { headers = { host = "plain.test" } })
    local seen = cjson.decode(assert.res_status(200, res))
    assert.same("hello", seen.headers["x-hello"])
    assert.same("hello", res.headers["X-Hello"])
  end)

  it("uses the configured headers and the consumer's name", function()
    local res = proxy_client:get("/", { headers = { host = "named.test", apikey = "secret" } })
    local seen = cjson.decode(assert.res_status(200, res))
    assert.same("hi, bo", seen.headers["x-to"])
    assert.same("hi, bo", res.headers["X-From"])
  end)

  it("greets also when another plugin refused the request", function()
    local res = proxy_client:get("/", { headers = { host = "named.test" } })
    assert.res_status(401, res)
    assert.same("hi", res.headers["X-From"])
  end)

  it("changes with the next request after the Admin API has answered", function()
    local res = admin_client:get("/routes/" .. route.id .. "/plugins")
    local row = cjson.decode(assert.res_status(200, res)).data[1]
    assert.res_status(200, admin_client:patch("/plugins/" .. row.id, { body = { config = { greeting = "welcome" } },
      headers = { ["Content-Type"] = "application/json" } }))
    res = proxy_client:get("/", { headers = { host = "plain.test" } })
    assert.res_status(200, res)
    assert.same("welcome", res.headers["X-Hello"])
  end)

  it("refuses a header of the message framing", function()
    local res = admin_client:post("/plugins", { body = { name = "hello-header", config = { request_header = "Host" } },
      headers = { ["Content-Type"] = "application/json" } })
    local body = cjson.decode(assert.res_status(400, res))
    assert.same("must not be a header of the message framing: Host", body.fields.config.request_header)
  end)

  it("shows its schema", function()
    local res = admin_client:get("/schemas/plugins/hello-header")
    local fields = cjson.decode(assert.res_status(200, res)).fields
    assert.is_true(#fields >= 2)
  end)
end)
