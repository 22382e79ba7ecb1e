-- SPDX-License-Identifier: Apache-2.0
local helpers = require "spec.helpers"
local cjson = helpers.cjson

describe("Admin API: the node", function()
  local client

  local function get(status, path)
    return cjson.decode((assert.res_status(status, client:get(path))))
  end

  local function post(status, path, body)
    return cjson.decode((assert.res_status(status, client:post(path, { body = body }))))
  end

  local function has(list, wanted)
    for _, item in ipairs(list) do
      if item == wanted then
        return true
      end
    end
  end

  lazy_setup(function()
    helpers.get_db_utils("sqlite")
    assert(helpers.start_kong())
  end)
  lazy_teardown(function()
    helpers.stop_kong()
  end)
  before_each(function()
    client = helpers.admin_client()
  end)
  after_each(function()
    client:close()
  end)

  it("says what it is", function()
    post(201, "/plugins", { name = "key-auth" })
    local node = get(200, "/")
    assert.same({ "Welcome to kong", "community", "sqlite" },
      { node.tagline, node.edition, node.configuration.database })
    assert.matches("^3%.9%.%d+$", node.version)
    assert.matches("^%d+%.%d+%.%d+", node.sluice_version)
    assert.matches("^LuaJIT 2%.1", node.lua_version)
    assert.same(36, #node.node_id)
    assert.same({ "key-auth" }, node.plugins.enabled_in_cluster)
    assert.is_number(node.plugins.available_on_server["rate-limiting"].priority)
    assert.is_number(node.pids.workers[1])
  end)

  it("says how it is", function()
    local status = get(200, "/status")
    assert.is_true(status.database.reachable)
    assert.is_number(status.server.total_requests)
    assert.is_table(status.memory.workers_lua_vms)
    assert.is_nil(status.configuration_hash)
    assert.matches("^invalid unit 'x'", get(400, "/status?unit=x").message)
  end)

  it("lists the plugins that it has loaded", function()
    assert.is_true(has(get(200, "/plugins/enabled").enabled_plugins, "key-auth"))
  end)

  it("lists its paths", function()
    local paths = get(200, "/endpoints").data
    assert.same({ "/", "/config", "/consumers" }, { paths[1], paths[2], paths[3] })
    assert.is_true(has(paths, "/services/{services}/routes/{routes}"))
  end)

  it("describes its entities and plugins", function()
    local fields = {}
    for _, field in ipairs(get(200, "/schemas/routes").fields) do
      local name, definition = next(field)
      fields[name] = definition
    end
    assert.same("set", fields.protocols.type)
    assert.same({ "http", "https" }, fields.protocols.default)
    assert.same("services", fields.service.reference)
    assert.same({ message = "No entity named 'nope'" }, get(404, "/schemas/nope"))
    assert.is_table(get(200, "/schemas/plugins/key-auth").fields)
    assert.is_table(get(200, "/plugins/schema/key-auth").fields)
    assert.same({ message = "No plugin named 'nope'" }, get(404, "/schemas/plugins/nope"))
  end)

  it("checks rows without storing them", function()
    assert.same({ message = "schema validation successful" },
      post(200, "/schemas/services/validate", { name = "unstored", host = "a.test" }))
    assert.res_status(404, client:get("/services/unstored"))
    assert.same({ host = "required field missing" }, post(400, "/schemas/services/validate", {}).fields)
    assert.same({ name = "plugin 'nope' not enabled; add it to the 'plugins' configuration property" },
      post(400, "/schemas/plugins/validate", { name = "nope" }).fields)
  end)

  it("keeps robots away", function()
    assert.same("User-agent: *\nDisallow: /", assert.res_status(200, client:get("/robots.txt")))
  end)

  it("has no declarative configuration beside a database", function()
    assert.same({ message = "this endpoint is only available when Kong is configured to not use a database" },
      get(400, "/config"))
  end)
end)

describe("Admin API: a node without a database", function()
  local client

  local DOCUMENT = [[
_format_version: "3.0"
services:
- name: declared
  url: http://a.test:81
  routes:
  - name: declared
    paths: [/declared]
]]

  local function send(status, method, path, body, content_type)
    local res = assert(client:send({ method = method, path = path, body = body,
      headers = { ["Content-Type"] = content_type or (body and "application/json") } }))
    local text = assert.res_status(status, res)
    return text ~= "" and cjson.decode(text) or nil
  end

  lazy_setup(function()
    helpers.get_db_utils("off")
    assert(helpers.start_kong())
  end)
  lazy_teardown(function()
    helpers.stop_kong()
  end)
  before_each(function()
    client = helpers.admin_client()
  end)
  after_each(function()
    client:close()
  end)

  it("takes a document as YAML, JSON or form field", function()
    local loaded = send(201, "POST", "/config", DOCUMENT, "text/yaml")
    local id, service = next(loaded.services)
    assert.same({ id, "a.test", 81 }, { service.id, service.host, service.port })
    assert.same(service.id, send(200, "GET", "/services/declared").id)
    assert.same(service.id, send(200, "GET", "/routes/declared").service.id)
    send(304, "POST", "/config?check_hash=1", DOCUMENT, "application/yaml")
    send(201, "POST", "/config", { _format_version = "3.0" })
    send(404, "GET", "/services/declared")
    send(201, "POST", "/config", { config = DOCUMENT })
    send(200, "GET", "/services/declared")
  end)

  it("shows what it runs, as a document that it takes", function()
    send(201, "POST", "/config", DOCUMENT, "text/yaml")
    local shown = send(200, "GET", "/config").config
    assert.matches('"host": "a.test"', shown, nil, true)
    send(201, "POST", "/config", shown, "text/yaml")
    assert.same(32, #send(200, "GET", "/status").configuration_hash)
  end)

  it("says what is wrong with a document and keeps the old one", function()
    send(201, "POST", "/config", DOCUMENT, "text/yaml")
    local err = send(400, "POST", "/config", { _format_version = "3.0", services = { { name = "x" } } })
    assert.same({ 14, "invalid declarative configuration" }, { err.code, err.name })
    assert.same({ services = { { host = "required field missing" } } }, err.fields)
    assert.same({ message = "expected a declarative configuration" }, send(400, "POST", "/config", "{}"))
    send(200, "GET", "/services/declared")
  end)

  it("refuses to write single rows", function()
    send(201, "POST", "/config", DOCUMENT, "text/yaml")
    local function refused(method, path, message)
      assert.same({ code = 12, name = "operation unsupported", message = message .. " when not using a database" },
        send(405, method, path, { host = "b.test" }))
    end
    local id = send(200, "GET", "/services/declared").id
    refused("POST", "/services", "cannot create 'services' entities")
    refused("PATCH", "/services/" .. id, "cannot update 'services' entities")
    refused("PATCH", "/services/declared", "cannot update 'services' entities by 'name'")
    refused("PUT", "/services/" .. helpers.uuid(), "cannot create or update 'services' entities")
    assert.same(12, send(405, "DELETE", "/routes/declared").code)
    assert.same({ message = "Method not allowed" }, send(405, "POST", "/services/declared", {}))
  end)
end)
