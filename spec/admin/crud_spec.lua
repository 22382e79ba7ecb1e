-- SPDX-License-Identifier: Apache-2.0
local helpers = require "spec.helpers"
local cjson = helpers.cjson

local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"
local NOBODY = "6f3e0b3e-3f58-4f20-9f2b-4b3f4d3f1f11"

for _, strategy in helpers.each_strategy() do
describe("Admin API: entities #" .. strategy, function()
  local client

  -- Sends a request and returns the decoded body.
  local function call(status, method, path, body, headers)
    local res = assert(client:send({ method = method, path = path, body = body, headers = headers }))
    local text = assert.res_status(status, res)
    return text ~= "" and cjson.decode(text) or nil
  end

  local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }

  lazy_setup(function()
    helpers.get_db_utils(strategy)
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

  describe("POST", function()
    it("creates a row with its defaults, nulls included", function()
      local row = call(201, "POST", "/services", { name = "post", host = "a.test" })
      assert.matches(UUID, row.id)
      assert.is_number(row.created_at)
      assert.is_number(row.updated_at)
      row.id, row.created_at, row.updated_at = nil, nil, nil
      assert.same({
        name = "post", host = "a.test", protocol = "http", port = 80, path = cjson.null, retries = 5,
        connect_timeout = 60000, write_timeout = 60000, read_timeout = 60000, tags = cjson.null,
        client_certificate = cjson.null, tls_verify = cjson.null, tls_verify_depth = cjson.null,
        ca_certificates = cjson.null, enabled = true,
      }, row)
    end)

    it("takes the url of a service apart", function()
      local row = call(201, "POST", "/services", "name=by-url&url=https%3A%2F%2Fb.test%2Fpath", FORM)
      assert.same({ "https", "b.test", 443, "/path" }, { row.protocol, row.host, row.port, row.path })
      assert.is_nil(row.url)
    end)

    it("takes nested and repeated form fields", function()
      call(201, "POST", "/services", { name = "form", host = "a.test" })
      local row = call(201, "POST", "/routes",
        "name=form&paths[]=/a&paths[]=/b&methods=GET&headers.x-a[]=1&service.name=form&strip_path=false", FORM)
      assert.same({ "/a", "/b" }, row.paths)
      assert.same({ "GET" }, row.methods)
      assert.same({ ["x-a"] = { "1" } }, row.headers)
      assert.is_false(row.strip_path)
      assert.matches(UUID, row.service.id)
    end)

    it("accepts an id, once", function()
      local id = helpers.uuid()
      assert.same(id, call(201, "POST", "/consumers", { id = id, username = "with-id" }).id)
      local err = call(400, "POST", "/consumers", { id = id, username = "with-id-2" })
      assert.same({ code = 3, name = "primary key violation", fields = { id = id },
        message = ([[primary key violation on key '{id="%s"}']]):format(id) }, err)
    end)

    it("says what is wrong with the fields", function()
      assert.same({ code = 2, name = "schema violation", fields = { host = "required field missing" },
        message = "schema violation (host: required field missing)",
      }, call(400, "POST", "/services", { name = "a" }))
      local rule = "at least one of these fields must be non-empty: 'custom_id', 'username'"
      assert.same({ code = 2, name = "schema violation", fields = { ["@entity"] = { rule } },
        message = "schema violation (" .. rule .. ")" }, call(400, "POST", "/consumers", {}))
      assert.same({ code = 2, name = "schema violation",
        fields = { port = "expected an integer", x = "unknown field" },
        message = "2 schema violations (port: expected an integer; x: unknown field)",
      }, call(400, "POST", "/services", { host = "a.test", port = "80", x = 1 }))
    end)

    it("refuses a second row with a unique value", function()
      call(201, "POST", "/consumers", { username = "twin" })
      assert.same({ code = 5, name = "unique constraint violation", fields = { username = "twin" },
        message = [[UNIQUE violation detected on '{username="twin"}']] },
        call(409, "POST", "/consumers", { username = "twin" }))
    end)

    it("refuses parents that do not exist", function()
      local message = [[the foreign key '{id="%s"}' does not reference an existing 'services' entity.]]
      assert.same({ code = 4, name = "foreign key violation", fields = { service = { id = NOBODY } },
        message = message:format(NOBODY) },
        call(400, "POST", "/routes", { paths = { "/x" }, service = { id = NOBODY } }))
      local why = [[the foreign key cannot be resolved with '{name="x"}' for an existing 'services' entity]]
      assert.same({ code = 13, name = "foreign keys unresolved", fields = { service = { name = why } },
        message = "foreign key unresolved (service.name: " .. why .. ")" },
        call(400, "POST", "/routes", { paths = { "/x" }, service = { name = "x" } }))
    end)
  end)

  describe("GET", function()
    it("finds a row by id in any case and by its key", function()
      local row = call(201, "POST", "/services", { name = "get", host = "a.test" })
      assert.same(row, call(200, "GET", "/services/get"))
      assert.same(row, call(200, "GET", "/services/" .. row.id))
      assert.same(row, call(200, "GET", "/services/" .. row.id:upper()))
    end)

    it("does not find what is not there", function()
      assert.same({ message = "Not found" }, call(404, "GET", "/services/none"))
      assert.same({ message = "Not found" }, call(404, "GET", "/services/" .. NOBODY))
    end)

    it("refuses a key that no row could have", function()
      local err = call(400, "GET", "/services/a%20b")
      assert.same({ code = 10, name = "invalid unique name", message =
        "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~" }, err)
    end)
  end)

  describe("PUT", function()
    it("creates by key, then replaces and keeps the id", function()
      local row = call(200, "PUT", "/services/put", { host = "a.test", retries = 1 })
      assert.same("put", row.name)
      local again = call(200, "PUT", "/services/put", { host = "b.test", name = "other" })
      assert.same({ row.id, "put", "b.test", 5 }, { again.id, again.name, again.host, again.retries })
    end)

    it("creates by id", function()
      local id = helpers.uuid()
      assert.same(id, call(200, "PUT", "/services/" .. id, { host = "a.test" }).id)
      assert.same(cjson.null, call(200, "GET", "/services/" .. id).name)
    end)
  end)

  describe("PATCH", function()
    it("changes what was sent and nothing else", function()
      local row = call(201, "POST", "/services", { name = "patch", host = "a.test", path = "/p" })
      local changed = call(200, "PATCH", "/services/patch", { port = 81, path = cjson.null })
      assert.same({ 81, cjson.null, "a.test" }, { changed.port, changed.path, changed.host })
      assert.same({ row.id, row.created_at }, { changed.id, changed.created_at })
    end)

    it("checks the merged row", function()
      call(201, "POST", "/consumers", { username = "patched" })
      local err = call(400, "PATCH", "/consumers/patched", { username = cjson.null })
      assert.same(2, err.code)
    end)

    it("does not make a row", function()
      assert.same({ code = 6, name = "not found", fields = { name = "none" },
        message = [[could not find the entity with '{name="none"}']] },
        call(404, "PATCH", "/services/none", { port = 1 }))
      assert.same({ code = 6, name = "not found", fields = { id = NOBODY },
        message = ([[could not find the entity with primary key '{id="%s"}']]):format(NOBODY) },
        call(404, "PATCH", "/services/" .. NOBODY, { port = 1 }))
    end)
  end)

  describe("DELETE", function()
    it("answers 204, whether the row was there or not", function()
      call(201, "POST", "/services", { name = "delete", host = "a.test" })
      call(204, "DELETE", "/services/delete")
      call(404, "GET", "/services/delete")
      call(204, "DELETE", "/services/delete")
      call(204, "DELETE", "/services/" .. NOBODY)
    end)

    it("refuses to take a service from its routes", function()
      call(201, "POST", "/services", { name = "used", host = "a.test" })
      call(201, "POST", "/services/used/routes", { paths = { "/used" } })
      assert.same({ code = 4, name = "foreign key violation", fields = { ["@referenced_by"] = "routes" },
        message = "an existing 'routes' entity references this 'services' entity" },
        call(400, "DELETE", "/services/used"))
    end)

    it("takes the credentials of a consumer along", function()
      call(201, "POST", "/consumers", { username = "leaving" })
      call(201, "POST", "/consumers/leaving/key-auth", { key = "leaving-key" })
      call(204, "DELETE", "/consumers/leaving")
      call(404, "GET", "/key-auths/leaving-key")
    end)
  end)

  describe("a parent and its children", function()
    local parent, other, child

    lazy_setup(function()
      client = helpers.admin_client()
      parent = call(201, "POST", "/services", { name = "parent", host = "a.test" })
      other = call(201, "POST", "/services", { name = "other", host = "a.test" })
      child = call(201, "POST", "/services/parent/routes", { name = "child", paths = { "/child" } })
      client:close()
    end)

    it("are linked by POST", function()
      assert.same({ id = parent.id }, child.service)
      assert.same({ message = "Not found" }, call(404, "POST", "/services/none/routes", { paths = { "/x" } }))
    end)

    it("are listed, each under its own parent", function()
      assert.same({ data = { child }, next = cjson.null }, call(200, "GET", "/services/parent/routes"))
      assert.same({ data = {}, next = cjson.null }, call(200, "GET", "/services/other/routes"))
      call(404, "GET", "/services/none/routes")
    end)

    it("are found under their own parent only", function()
      assert.same(child, call(200, "GET", "/services/parent/routes/child"))
      call(404, "GET", "/services/other/routes/child")
      call(404, "PATCH", "/services/other/routes/child", { paths = { "/stolen" } })
      call(404, "PUT", "/services/other/routes/child", { paths = { "/stolen" } })
      call(404, "DELETE", "/services/other/routes/child")
      call(404, "DELETE", "/services/other/routes/none")
    end)

    it("are made by PUT below the parent", function()
      local made = call(200, "PUT", "/services/other/routes/made", { paths = { "/made" } })
      assert.same({ id = other.id }, made.service)
      call(204, "DELETE", "/services/other/routes/made")
    end)

    it("lead back to the parent", function()
      assert.same(parent, call(200, "GET", "/routes/child/service"))
      assert.same(parent.id, call(200, "PATCH", "/routes/child/service", { retries = 1 }).id)
      assert.same({ message = "Method not allowed" }, call(405, "DELETE", "/routes/child/service"))
    end)

    it("a child without a parent gets one by PUT", function()
      call(201, "POST", "/routes", { name = "orphan", paths = { "/orphan" } })
      call(404, "GET", "/routes/orphan/service")
      call(404, "DELETE", "/routes/orphan/service")
      local made = call(200, "PUT", "/routes/orphan/service", { host = "made.test" })
      assert.same({ id = made.id }, call(200, "GET", "/routes/orphan").service)
    end)
  end)

  describe("key-auth credentials", function()
    it("get a key of 32 letters and digits", function()
      local consumer = call(201, "POST", "/consumers", { username = "keyed" })
      local row = call(201, "POST", "/consumers/keyed/key-auth")
      assert.matches("^" .. ("%w"):rep(32) .. "$", row.key)
      assert.same({ id = consumer.id }, row.consumer)
      assert.same(cjson.null, row.ttl)
      assert.is_nil(row.updated_at)
      assert.same(row, call(200, "GET", "/key-auths/" .. row.key))
      assert.same(row, call(200, "GET", "/consumers/keyed/key-auth/" .. row.id))
      assert.same(consumer, call(200, "GET", "/key-auths/" .. row.key .. "/consumer"))
      assert.same({ data = { row }, next = cjson.null }, call(200, "GET", "/consumers/keyed/key-auth"))
    end)

    it("show how long they still live", function()
      call(201, "POST", "/consumers", { username = "short" })
      local row = call(201, "POST", "/consumers/short/key-auth", "key=short-key&ttl=100", FORM)
      assert.is_true(row.ttl > 95 and row.ttl <= 100)
      local ttl = call(200, "GET", "/key-auths/short-key").ttl
      assert.is_true(ttl > 90 and ttl <= 100)
    end)

    it("need a consumer", function()
      local err = call(400, "POST", "/key-auths", { key = "nobodys" })
      assert.same({ consumer = "required field missing" }, err.fields)
    end)
  end)
end)
end
