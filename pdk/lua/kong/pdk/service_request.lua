-- SPDX-License-Identifier: Apache-2.0
-- kong.service.request: what is built on the native functions.

local body = require "kong.pdk.body"

return function(kong)
  local service_request = kong.service.request

  function service_request.set_query(args)
    if type(args) ~= "table" then
      error("args must be a table", 2)
    end
    service_request.set_raw_query(ngx.encode_args(args))
  end

  -- Removes `name` and leaves the rest of the query as it was written.
  function service_request.clear_query_arg(name)
    if type(name) ~= "string" then
      error("query argument name must be a string", 2)
    end
    local kept = {}
    for pair in kong.request.get_raw_query():gmatch("[^&]+") do
      if ngx.unescape_uri(pair:match("^[^=]*")) ~= name then
        kept[#kept + 1] = pair
      end
    end
    service_request.set_raw_query(table.concat(kept, "&"))
  end

  function service_request.set_headers(headers)
    if type(headers) ~= "table" then
      error("headers must be a table", 2)
    end
    for name, value in pairs(headers) do
      service_request.set_header(name, value)
    end
  end

  function service_request.set_body(args, mimetype)
    if type(args) ~= "table" then
      error("args must be a table", 2)
    end
    if mimetype ~= nil and type(mimetype) ~= "string" then
      error("mimetype must be a string", 2)
    end
    local text, content_type = body.encode(args, mimetype or kong.request.get_header("content-type"))
    if not text then
      return nil, content_type
    end
    service_request.set_raw_body(text)
    service_request.set_header("Content-Type", content_type)
    return true
  end
end
