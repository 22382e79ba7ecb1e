-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

describe("Error bodies", function()
  local client

  lazy_setup(function()
    helpers.get_db_utils()
    assert(helpers.start_kong())
  end)
  lazy_teardown(helpers.stop_kong)
  before_each(function() client = helpers.proxy_client() end)
  after_each(function() client:close() end)

  it("say which request it was, in Kong's layout", function()
    local res = client:get("/")
    local body = assert.res_status(404, res)
    local id = res.headers["X-Kong-Request-Id"]
    assert.same('{\n  "message":"no Route matched with those values",\n  "request_id":"' .. id .. '"\n}', body)
    assert.same("application/json; charset=utf-8", res.headers["Content-Type"])
    assert.same(#body, tonumber(res.headers["Content-Length"]))
    assert.matches("^%d+$", res.headers["X-Kong-Response-Latency"])
    assert.matches("^sluice/", res.headers.Server)
  end)

  local types = {
    ["text/plain"] = "text/plain; charset=utf-8",
    ["text/html,application/xhtml+xml,*/*;q=0.1"] = "text/html; charset=utf-8",
    ["application/xml"] = "application/xml; charset=utf-8",
    ["text/html;q=0.5, application/json;q=0.6"] = "application/json; charset=utf-8",
    ["image/png"] = "application/json; charset=utf-8",
    ["*/*"] = "application/json; charset=utf-8",
  }
  for accept, expected in pairs(types) do
    it("are " .. expected .. " for Accept: " .. accept, function()
      local res = client:get("/", { headers = { accept = accept } })
      assert.matches("no Route matched with those values", assert.res_status(404, res), 1, true)
      assert.same(expected, res.headers["Content-Type"])
    end)
  end

  it("carry the configured default type for the engine's own refusals", function()
    local answer = helpers.raw_request("GET / HTTP/1.1\r\n\r\n")
    assert.matches("Content%-Type: text/plain; charset=utf%-8\r\n", answer)
    assert.matches("Bad request\nrequest_id: %x+\n$", answer)
  end)

  it("cannot be broken by what the client sends", function()
    local body = assert.res_status(404, client:get("/%22%3Cscript%3E", { headers = { accept = "application/json" } }))
    assert.is_table(cjson.decode(body))
  end)
end)
