-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

local JSON = { ["Content-Type"] = "application/json" }
local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }

local function with(headers, more)
  local all = {}
  for name, value in pairs(headers) do
    all[name] = value
  end
  for name, value in pairs(more) do
    all[name] = value
  end
  return all
end

describe("Plugin: key-auth", function()
  local client, admin_client, bo, credential, nobody

  local function route_with(bp, host, config)
    local route = bp.routes:insert({ hosts = { host } })
    return bp.plugins:insert({ name = "key-auth", route = route, config = config })
  end

  -- What the upstream saw of a request to `host` that must pass.
  local function seen_by_upstream(host, path, headers, method, body)
    local res = client:send({ method = method or "GET", path = path or "/", body = body,
      headers = with({ host = host }, headers or {}) })
    return cjson.decode(assert.res_status(200, res)), res
  end

  -- Asserts that a request is refused, and how.
  local function refused(message, challenge, options, path, method)
    local res = client:send(with({ method = method or "GET", path = path or "/" }, options))
    local body = cjson.decode(assert.res_status(401, res))
    assert.same(message, body.message)
    assert.truthy(body.request_id)
    assert.same(challenge, res.headers["WWW-Authenticate"])
  end

  lazy_setup(function()
    local bp = helpers.get_db_utils(nil, { "routes", "services", "plugins", "consumers" }, { "key-auth" })
    bo = bp.consumers:insert({ username = "bo", custom_id = "custom-bo" })
    credential = bp.keyauth_credentials:insert({ consumer = bo, key = "kong" })
    nobody = bp.consumers:insert({ username = "no-body" })
    bp.keyauth_credentials:insert({ consumer = nobody, key = "s p+c%e&" })
    route_with(bp, "plain.test")
    route_with(bp, "realm.test", { realm = "test-realm" })
    route_with(bp, "names.test", { key_names = { "first", "second" } })
    route_with(bp, "hidden.test", { hide_credentials = true, key_in_body = true, key_names = { "other", "apikey" } })
    route_with(bp, "body.test", { key_in_body = true })
    route_with(bp, "only-query.test", { key_in_header = false })
    route_with(bp, "only-header.test", { key_in_query = false })
    route_with(bp, "preflight.test", { run_on_preflight = false })
    route_with(bp, "anonymous.test", { anonymous = nobody.id })
    route_with(bp, "anonymous-name.test", { anonymous = "no-body" })
    route_with(bp, "anonymous-missing.test", { anonymous = "ghost" })
    assert(helpers.start_kong({ plugins = "bundled", body_buffer_size = "16k" }))
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

  describe("finds the key", function()
    it("in a header, whatever its case", function()
      seen_by_upstream("plain.test", "/", { apikey = "kong" })
      seen_by_upstream("plain.test", "/", { APIKey = "kong" })
    end)

    it("in the query, decoded", function()
      seen_by_upstream("plain.test", "/?apikey=kong")
      seen_by_upstream("plain.test", "/?a=1&api%6bey=%6bon%67&b")
      seen_by_upstream("plain.test", "/?apikey=s+p%2Bc%25e%26")
    end)

    it("in any of its names, in the order in which they are configured", function()
      seen_by_upstream("names.test", "/", { second = "kong" })
      seen_by_upstream("names.test", "/?second=wrong", { first = "kong" })
      refused("Unauthorized", "Key", { headers = { host = "names.test", first = "wrong", second = "kong" } })
    end)

    it("in a header rather than in the query", function()
      seen_by_upstream("plain.test", "/?apikey=wrong", { apikey = "kong" })
    end)

    it("in the body of a form, of JSON and of a multipart message", function()
      seen_by_upstream("body.test", "/", FORM, "POST", "a=1&apikey=kong")
      seen_by_upstream("body.test", "/", JSON, "POST", '{"a":{"apikey":"no"},"apikey":"\\u006bong"}')
      seen_by_upstream("body.test", "/", { ["Content-Type"] = 'multipart/form-data; boundary="x"' }, "POST",
        '--x\r\nContent-Disposition: form-data; name="apikey"\r\n\r\nkong\r\n--x--\r\n')
    end)

    it("in a body that comes in pieces", function()
      local text = "POST / HTTP/1.1\r\nHost: body.test\r\nConnection: close\r\n"
        .. "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        .. '5\r\n{"api\r\n5\r\nkey":\r\n7\r\n"kong"}\r\n0\r\n\r\n'
      assert.matches("^HTTP/1.1 200 ", (helpers.raw_request(text)))
    end)

    it("neither in the query nor in the header when told so", function()
      refused("No API key found in request", "Key", { headers = { host = "only-query.test", apikey = "kong" } })
      refused("No API key found in request", "Key", { headers = { host = "only-header.test" } }, "/?apikey=kong")
      refused("No API key found in request", "Key",
        { headers = with(FORM, { host = "plain.test" }), body = "apikey=kong" }, "/", "POST")
    end)
  end)

  describe("refuses", function()
    it("a request without a key", function()
      refused("No API key found in request", "Key", { headers = { host = "plain.test" } })
      refused("No API key found in request", "Key", { headers = { host = "plain.test", apikey = "" } })
      refused("No API key found in request", "Key", { headers = { host = "plain.test" } }, "/?apikey=")
    end)

    it("a bare query argument, which is no key", function()
      refused("No API key found in request", "Key", { headers = { host = "plain.test" } }, "/?apikey")
    end)

    it("an unknown key", function()
      refused("Unauthorized", "Key", { headers = { host = "plain.test", apikey = "nope" } })
    end)

    it("a key that is there twice", function()
      refused("Duplicate API key found", "Key", { headers = { host = "plain.test" } }, "/?apikey=kong&apikey=kong")
      refused("Duplicate API key found", "Key", { headers = { host = "plain.test", apikey = { "kong", "kong" } } })
      refused("Duplicate API key found", "Key",
        { headers = with(JSON, { host = "body.test" }), body = '{"apikey":["kong"]}' }, "/", "POST")
    end)

    it("a body that cannot be read or says something else", function()
      for _, body in ipairs { '{"apikey":"kong"', '["apikey"]', '{"apikey":1}', '{"apikey":null}', "" } do
        refused("No API key found in request", "Key",
          { headers = with(JSON, { host = "body.test" }), body = body }, "/", "POST")
      end
    end)

    it("a body that is too large to be searched", function()
      local body = '{"a":"' .. ("x"):rep(200000) .. '","apikey":"kong"}'
      assert.res_status(413, client:post("/", { headers = with(JSON, { host = "body.test" }), body = body }))
      assert.res_status(200, client:post("/", { headers = with(JSON, { host = "body.test", apikey = "kong" }),
        body = body }))
    end)

    it("naming its realm", function()
      refused("Unauthorized", 'Key realm="test-realm"', { headers = { host = "realm.test", apikey = "nope" } })
    end)

    it("a preflight request without a key, unless told otherwise", function()
      refused("No API key found in request", "Key", { headers = { host = "plain.test" } }, "/", "OPTIONS")
      seen_by_upstream("preflight.test", "/", {}, "OPTIONS")
    end)
  end)

  describe("tells the upstream", function()
    it("who the consumer is, and lets no header of the client's pass for that", function()
      local headers = seen_by_upstream("plain.test", "/", { apikey = "kong", ["X-Consumer-ID"] = "x",
        ["X-Consumer-Username"] = { "x", "y" }, ["X-Anonymous-Consumer"] = "true" }).headers
      assert.same(bo.id, headers["x-consumer-id"])
      assert.same("bo", headers["x-consumer-username"])
      assert.same("custom-bo", headers["x-consumer-custom-id"])
      assert.same(credential.id, headers["x-credential-identifier"])
      assert.is_nil(headers["x-anonymous-consumer"])
      assert.same("kong", headers.apikey)
    end)

    it("that the client is anonymous", function()
      for _, host in ipairs { "anonymous.test", "anonymous-name.test" } do
        for _, key in ipairs { "", "nope" } do
          local seen, res = seen_by_upstream(host, "/", { apikey = key, ["X-Consumer-Custom-ID"] = "x",
            ["X-Credential-Identifier"] = "x" })
          assert.same(nobody.id, seen.headers["x-consumer-id"])
          assert.same("no-body", seen.headers["x-consumer-username"])
          assert.same("true", seen.headers["x-anonymous-consumer"])
          assert.is_nil(seen.headers["x-consumer-custom-id"])
          assert.is_nil(seen.headers["x-credential-identifier"])
          assert.is_nil(res.headers["WWW-Authenticate"])
        end
      end
    end)

    it("who the consumer is, although anonymous ones may pass", function()
      local headers = seen_by_upstream("anonymous.test", "/", { apikey = "kong" }).headers
      assert.same("bo", headers["x-consumer-username"])
      assert.is_nil(headers["x-anonymous-consumer"])
    end)

    it("nothing when the anonymous consumer does not exist", function()
      local res = client:get("/", { headers = { host = "anonymous-missing.test" } })
      assert.same("anonymous consumer ghost is configured but doesn't exist",
        cjson.decode(assert.res_status(500, res)).message)
    end)
  end)

  describe("hides", function()
    it("the header", function()
      local seen = seen_by_upstream("hidden.test", "/", { apikey = "kong", other2 = "stays" })
      assert.is_nil(seen.headers.apikey)
      assert.same("stays", seen.headers.other2)
    end)

    it("the query argument and keeps the rest as it was", function()
      local seen = seen_by_upstream("hidden.test", "/p?b=%2f+x&apikey=kong&bare&b=2")
      assert.same("/p?b=%2f+x&bare&b=2", seen.uri or seen.path)
    end)

    it("the name from all places, whichever the key was found in", function()
      local seen = seen_by_upstream("hidden.test", "/?apikey=x", with(FORM, { apikey = "kong" }), "POST",
        "a=1&apikey=y&b=%26")
      assert.is_nil(seen.headers.apikey)
      assert.same({}, seen.args)
      assert.same("a=1&b=%26", seen.body)
    end)

    it("the member of a JSON body", function()
      local seen = seen_by_upstream("hidden.test", "/", JSON, "POST", '{"apikey":"kong","a":[1,{"b":2.50}]}')
      assert.same('{"a":[1,{"b":2.50}]}', seen.body)
    end)

    it("the part of a multipart body", function()
      local part = '--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
      local seen = seen_by_upstream("hidden.test", "/", { ["Content-Type"] = "multipart/form-data; boundary=x" },
        "POST", part:format("apikey", "kong") .. part:format("a", "1") .. "--x--\r\n")
      assert.same(part:format("a", "1") .. "--x--\r\n", seen.body)
    end)

    it("nothing of a body that it cannot read", function()
      local seen = seen_by_upstream("hidden.test", "/", with(JSON, { apikey = "kong" }), "POST", '{"apikey"')
      assert.same('{"apikey"', seen.body)
    end)
  end)

  it("takes a new key with the next request, and no deleted or expired one", function()
    local res = admin_client:post("/consumers/bo/key-auth", { body = { key = "fresh", ttl = 1 }, headers = JSON })
    assert.res_status(201, res)
    seen_by_upstream("plain.test", "/", { apikey = "fresh" })
    helpers.wait_until(function()
      local answer = client:get("/", { headers = { host = "plain.test", apikey = "fresh" } })
      answer.read_body()
      return answer.status == 401
    end)
    res = admin_client:post("/consumers/bo/key-auth", { body = { key = "short-lived" }, headers = JSON })
    local id = cjson.decode(assert.res_status(201, res)).id
    seen_by_upstream("plain.test", "/", { apikey = "short-lived" })
    assert.res_status(204, admin_client:delete("/consumers/bo/key-auth/" .. id))
    refused("Unauthorized", "Key", { headers = { host = "plain.test", apikey = "short-lived" } })
  end)

  describe("configuration", function()
    local function refusal(config, more)
      local res = admin_client:post("/plugins", { headers = JSON,
        body = with({ name = "key-auth", config = config }, more or {}) })
      return cjson.decode(assert.res_status(400, res)).fields
    end

    it("has Kong's defaults", function()
      local res = admin_client:post("/plugins", { body = { name = "key-auth" }, headers = JSON })
      local row = cjson.decode(assert.res_status(201, res))
      assert.same({ key_names = { "apikey" }, hide_credentials = false, anonymous = cjson.null, key_in_header = true,
        key_in_query = true, key_in_body = false, run_on_preflight = true, realm = cjson.null }, row.config)
      assert.res_status(204, admin_client:delete("/plugins/" .. row.id))
    end)

    it("refuses names that no header can have", function()
      assert.same("bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
        refusal({ key_names = { "ok", "a b" } }).config.key_names[2])
    end)

    it("cannot be bound to a consumer", function()
      assert.same("value must be null", refusal(nil, { consumer = { id = bo.id } }).consumer)
    end)
  end)
end)
