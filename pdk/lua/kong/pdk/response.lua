-- SPDX-License-Identifier: Apache-2.0
-- kong.response: ending a request with an answer, in every form that Kong takes.

local cjson = require "cjson"

local JSON = "application/json; charset=utf-8"

local function check_headers(headers)
  if headers ~= nil and type(headers) ~= "table" then
    error("headers must be a nil or table", 3)
  end
end

return function(kong, native)
  local response = kong.response
  local exit, fail = native["response.exit"], native["response.error"]

  -- True if one of them is a Content-Type.
  local function set_headers(headers)
    local has_type = false
    for name, value in pairs(headers or {}) do
      local lower = tostring(name):lower()
      if lower == "transfer-encoding" then
        kong.log.warn("manually setting Transfer-Encoding. Ignored.")
      else
        has_type = has_type or lower == "content-type"
        response.set_header(name, value)
      end
    end
    return has_type
  end

  function response.set_headers(headers)
    if type(headers) ~= "table" then
      error("headers must be a table", 2)
    end
    set_headers(headers)
  end

  function response.exit(status, body, headers)
    if type(status) ~= "number" then
      error("code must be a number", 2)
    elseif status < 100 or status > 599 then
      error("code must be a number between 100 and 599", 2)
    elseif body ~= nil and type(body) ~= "string" and type(body) ~= "table" then
      error("body must be a nil, string or table", 2)
    end
    check_headers(headers)
    local text = body
    if type(body) == "table" then
      text = cjson.encode(body)
    end
    if not set_headers(headers) and type(body) == "table" then
      response.set_header("Content-Type", JSON)
    end
    return exit(status, text)
  end

  function response.error(status, message, headers)
    if type(status) ~= "number" then
      error("code must be a number", 2)
    elseif status < 400 or status > 599 then
      error("code must be a number between 400 and 599", 2)
    elseif message ~= nil and type(message) ~= "string" and type(message) ~= "table" then
      error("message must be a nil, string or table", 2)
    end
    check_headers(headers)
    if type(message) == "table" then
      return response.exit(status, message, headers)
    end
    set_headers(headers)
    return fail(status, message)
  end
end
