-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

describe("TLS", function()
  lazy_setup(function()
    local bp = helpers.get_db_utils()
    local service = bp.services:insert({ url = helpers.mock_upstream_url })
    bp.routes:insert({ paths = { "/both" }, service = service })
    bp.routes:insert({ paths = { "/secure" }, protocols = { "https" }, service = service })
    bp.routes:insert({ paths = { "/moved" }, protocols = { "https" }, https_redirect_status_code = 301,
      service = service })
    assert(helpers.start_kong())
  end)
  lazy_teardown(helpers.stop_kong)

  it("is terminated with the certificate that was made at the first start", function()
    local client = helpers.proxy_ssl_client()
    for _ = 1, 3 do
      local seen = cjson.decode(assert.res_status(200, client:get("/both")))
      assert.same("https", seen.headers["x-forwarded-proto"])
    end
    client:close()
  end)

  it("carries large bodies both ways", function()
    local client = helpers.proxy_ssl_client()
    local body = ("0123456789abcdef"):rep(20000)
    local seen = cjson.decode(assert.res_status(200, client:post("/both", { body = body })))
    assert.is_true(seen.body == body)
    client:close()
  end)

  it("is asked for where a route wants it", function()
    local client = helpers.proxy_client()
    local res = client:get("/secure")
    assert.same("Please use HTTPS protocol", cjson.decode(assert.res_status(426, res)).message)
    assert.matches("TLS/1.2", res.headers.Upgrade, 1, true)
    res = client:get("/moved/x?y=1", { headers = { host = "me.test" } })
    assert.res_status(301, res)
    assert.same("https://me.test/moved/x?y=1", res.headers.Location)
    client:close()
    local secure = helpers.proxy_ssl_client()
    assert.res_status(200, secure:get("/secure"))
    secure:close()
  end)
end)
