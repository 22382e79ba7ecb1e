-- SPDX-License-Identifier: Apache-2.0
-- kong.request: the functions that wait for the body or build tables.

local body = require "kong.pdk.body"

local function check_get_body(mimetype, max_args, max_file_size)
  if mimetype ~= nil and type(mimetype) ~= "string" then
    error("mimetype must be a string", 3)
  end
  if max_args ~= nil and (type(max_args) ~= "number" or max_args < 1 or max_args > 1000) then
    error("max_args must be a number from 1 to 1000", 3)
  end
  if max_file_size ~= nil and (type(max_file_size) ~= "number" or max_file_size < 0) then
    error("max_file_size must be a number >= 0", 3)
  end
end

return function(kong, native)
  local request = kong.request
  local get_raw_body = native["request.get_raw_body"]
  local get_capture = native["request.get_uri_captures"]

  -- The native function suspends the handler while the body is on its way and returns nothing when
  -- it goes on; it is then asked again.
  function request.get_raw_body()
    local ok, text
    repeat
      ok, text = get_raw_body()
    until ok ~= nil
    if ok then
      return text
    end
    return nil, text
  end

  function request.get_body(mimetype, max_args, max_file_size)
    check_get_body(mimetype, max_args, max_file_size)
    local content_type = mimetype or request.get_header("content-type")
    if not content_type then
      return nil, "missing content type"
    end
    if mimetype == body.MULTIPART then -- the boundary is only in the header
      content_type = request.get_header("content-type") or mimetype
    end
    local text, err = request.get_raw_body()
    if not text then
      return nil, err, body.media_type(content_type)
    end
    return body.decode(text, content_type, max_args)
  end

  -- `named` finds its members when they are asked for.
  function request.get_uri_captures()
    local unnamed, index = {}, 0
    local text = get_capture(0)
    while text do
      unnamed[index] = text
      index = index + 1
      text = get_capture(index)
    end
    local named = setmetatable({}, { __index = function(_, name) return get_capture(tostring(name)) end })
    return { unnamed = unnamed, named = named }
  end
end
