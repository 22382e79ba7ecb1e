-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local helpers = require "spec.helpers"

describe("Framing of requests", function()
  lazy_setup(function()
    local bp = helpers.get_db_utils()
    bp.routes:insert({ paths = { "/" }, service = bp.services:insert({ url = helpers.mock_upstream_url }) })
    assert(helpers.start_kong({ nginx_http_client_max_body_size = "100k" }))
  end)
  lazy_teardown(helpers.stop_kong)

  local function status_of(answer)
    return tonumber(answer:match("^HTTP/1%.1 (%d%d%d)"))
  end

  -- Sends `head`; what came, and a second request behind it must not have been answered.
  local function refused(bytes, status)
    local answer, how = helpers.raw_request(bytes .. "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert.same(status, status_of(answer), bytes)
    assert.same("closed", how, bytes)
    assert.is_nil(answer:find("smuggled", 1, true), bytes)
  end

  local bad = {
    ["two Host fields"] = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ["no Host field"] = "GET / HTTP/1.1\r\n\r\n",
    ["both framings"] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" ..
      "0\r\n\r\n",
    ["two lengths"] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
    ["a list of lengths"] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
    ["a signed length"] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
    ["a length that overflows"] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n",
    ["chunked twice"] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ["chunked in HTTP/1.0"] = "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ["a space before the colon"] = "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ["a folded field"] = "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    ["a bare line feed"] = "GET / HTTP/1.1\nHost: a\n\n",
    ["a NUL in a value"] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    ["a carriage return in a value"] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    ["a bad name"] = "GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n",
    ["a fragment in the target"] = "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    ["an encoded NUL in the path"] = "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n",
    ["userinfo in the target"] = "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    ["two spaces in the line"] = "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    ["no target"] = "GET HTTP/1.1\r\nHost: a\r\n\r\n",
  }
  for what, bytes in pairs(bad) do
    it("refuses " .. what .. " and closes", function()
      refused(bytes, 400)
    end)
  end

  it("refuses an unknown transfer coding, CONNECT and other versions by name", function()
    refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501)
    refused("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405)
    refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505)
  end)

  it("refuses heads and bodies past their limits", function()
    refused("GET /" .. ("x"):rep(9000) .. " HTTP/1.1\r\nHost: a\r\n\r\n", 414)
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: " .. ("x"):rep(40000) .. "\r\n\r\n", 431)
    refused("GET / HTTP/1.1\r\nHost: a\r\n" .. ("X: y\r\n"):rep(300) .. "\r\n", 431)
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n", 413)
  end)

  it("refuses a chunked body that grows past the limit", function()
    local chunk = ("2000\r\n%s\r\n"):format(("x"):rep(8192))
    local answer = helpers.raw_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" ..
      chunk:rep(20))
    assert.same(413, status_of(answer))
  end)

  it("refuses a malformed chunk", function()
    local answer, how = helpers.raw_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" ..
      "5\r\nhello\r\nxyz\r\n")
    assert.same(400, status_of(answer))
    assert.same("closed", how)
  end)

  it("takes the good neighbours of all these", function()
    for _, bytes in ipairs({
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "GET http://b.test/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" ..
        "2;x=y\r\nok\r\n0\r\nT: z\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX:\t\xe4 \r\nConnection: close\r\n\r\n",
    }) do
      local answer, how = helpers.raw_request(bytes)
      assert.is_true(status_of(answer) == 200 or bytes:find("^OPTIONS") ~= nil, bytes .. answer)
      assert.same("closed", how, bytes)
    end
  end)

  it("answers pipelined requests in order, each with its own body", function()
    local bytes = {}
    for i = 1, 20 do
      bytes[i] = ("POST /n%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n%s\r\n%03d"):format(i,
        i == 20 and "Connection: close\r\n" or "", i)
    end
    local answer = helpers.raw_request(table.concat(bytes))
    local at = 1
    for i = 1, 20 do
      at = answer:find("/n" .. i .. "\"", at, true)
      assert.is_not_nil(at, "answer " .. i)
    end
  end)

  it("answers Expect: 100-continue before the body comes", function()
    local answer = helpers.raw_request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" ..
      "Expect: 100-continue\r\n\r\n", nil, 1)
    assert.matches("^HTTP/1%.1 100 Continue\r\n\r\n", answer)
  end)

  it("answers HTTP/1.0 without chunks and closes", function()
    local answer, how = helpers.raw_request("GET /stream/3 HTTP/1.0\r\nHost: a\r\n\r\n")
    assert.same(200, status_of(answer))
    assert.is_nil(answer:lower():find("transfer-encoding", 1, true))
    assert.same("closed", how)
  end)

  it("sends no body in answer to HEAD and keeps the connection", function()
    local client = helpers.proxy_client()
    for _ = 1, 3 do
      local res = client:head("/anything")
      assert.same(200, res.status)
      assert.same("", res.read_body())
    end
    client:close()
  end)

  it("keeps the connection after a refusal by a route, and drains the body first", function()
    local client = helpers.proxy_client()
    local res = client:post("/", { headers = { host = "a" }, body = ("x"):rep(30000) })
    assert.same(30000, #cjson.decode(assert.res_status(200, res)).body)
    assert.res_status(200, client:get("/"))
    client:close()
  end)
end)
