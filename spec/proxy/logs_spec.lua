-- SPDX-License-Identifier: Apache-2.0
local helpers = require "spec.helpers"

describe("Logs", function()
  local client

  lazy_setup(function()
    local bp = helpers.get_db_utils()
    bp.routes:insert({ paths = { "/ok" }, service = bp.services:insert({ url = helpers.mock_upstream_url }) })
    bp.routes:insert({ paths = { "/down" }, service = bp.services:insert({ url = "http://127.0.0.1:1" }) })
    assert(helpers.start_kong({ log_level = "notice" }))
  end)
  lazy_teardown(helpers.stop_kong)
  before_each(function() client = helpers.proxy_client() end)
  after_each(function() client:close() end)

  local function line_with(file, text)
    return helpers.wait_until(function()
      for line in (helpers.read_file(helpers.test_conf.prefix .. "/logs/" .. file) or ""):gmatch("[^\n]+") do
        if line:find(text, 1, true) then
          return line
        end
      end
    end)
  end

  it("have an access line for each request, in the combined format with latency and id", function()
    local res = client:get("/ok/x?y=1", { headers = { ["User-Agent"] = "spec", Referer = "http://r/" } })
    local body = assert.res_status(200, res)
    local line = line_with("access.log", res.headers["X-Kong-Request-Id"])
    local time = "%[%d+/%a+/%d+:%d+:%d+:%d+ [%+%-]%d+%]"
    assert.matches("^127%.0%.0%.1 %- %- " .. time .. ' "GET /ok/x%?y=1 HTTP/1%.1" 200 ' .. #body ..
      ' "http://r/" "spec" %d+ kong_request_id: "%x+"$', line)
  end)

  it("cannot be forged by a client", function()
    helpers.raw_request('GET /ok HTTP/1.1\r\nHost: a\r\nUser-Agent: x" 200 "\xff\r\nConnection: close\r\n\r\n')
    assert.matches('"x\\x22 200 \\x22\\xFF" %d+ kong_request_id', line_with("access.log", "\\x22 200"))
  end)

  it("say in an error line which request it was and why it failed", function()
    local res = client:get("/down")
    assert.res_status(502, res)
    local line = line_with("error.log", res.headers["X-Kong-Request-Id"])
    assert.matches("%[error%]", line)
    assert.matches("Connection refused while talking to upstream 127.0.0.1:1", line, 1, true)
    assert.matches('client: 127%.0%.0%.1, server: kong, request: "GET /down HTTP/1%.1"', line)
  end)

  it("have a line for a refused request too", function()
    helpers.raw_request("BAD\r\n\r\n")
    assert.matches('" 400 ', line_with("access.log", '" 400 '))
  end)

  it("have a line for each Admin request", function()
    local admin = helpers.admin_client()
    assert.res_status(200, admin:get("/services?logged=1"))
    admin:close()
    assert.matches('"GET /services%?logged=1 HTTP/1%.1" 200', line_with("admin_access.log", "logged=1"))
  end)
end)
