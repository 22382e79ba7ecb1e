-- SPDX-License-Identifier: Apache-2.0
-- Bodies by content type, both ways: used by kong.request, kong.service.request and
-- kong.service.response.

local cjson = require "cjson.safe"

local FORM, JSON, MULTIPART =
  "application/x-www-form-urlencoded", "application/json", "multipart/form-data"

local body = { FORM = FORM, JSON = JSON, MULTIPART = MULTIPART }

-- "application/json" of "Application/JSON; charset=utf-8"; nil without a type.
function body.media_type(content_type)
  local media_type = content_type and content_type:match("^%s*([^;%s]+)")
  return media_type and media_type:lower()
end

function body.boundary(content_type)
  return content_type:match('[bB]oundary="([^"]+)"') or content_type:match("[bB]oundary=([^;%s]+)")
end

-- The parts of a multipart body by name (RFC 7578); nil if it is not one.
local function decode_multipart(text, content_type)
  local boundary = body.boundary(content_type)
  if not boundary then
    return nil
  end
  local fields, delimiter = {}, "\r\n--" .. boundary
  text = "\r\n" .. text
  local _, at = text:find(delimiter, 1, true)
  while at and text:sub(at + 1, at + 2) ~= "--" do
    local next_from, next_to = text:find(delimiter, at + 1, true)
    local head_end, data_from = text:find("\r\n\r\n", at + 1, true)
    if not next_from or not head_end or head_end > next_from then
      return nil
    end
    local name = text:sub(at + 1, head_end):match('[nN][aA][mM][eE]="([^"]*)"')
    if name then
      fields[name] = text:sub(data_from + 1, next_from - 1)
    end
    at = next_to
  end
  return at and fields
end

-- A table, or nil and a message; and the media type.
function body.decode(text, content_type, max_args)
  local media_type = body.media_type(content_type)
  if not media_type then
    return nil, "missing content type"
  end
  if media_type == FORM then
    return (ngx.decode_args(text, max_args)), nil, FORM
  elseif media_type == JSON or media_type:match("^application/.*%+json$") then
    local value = cjson.decode(text)
    if type(value) ~= "table" then
      return nil, "invalid json body", JSON
    end
    return value, nil, JSON
  elseif media_type == MULTIPART then
    local fields = decode_multipart(text, content_type)
    if not fields then
      return nil, "unable to decode multipart body", MULTIPART
    end
    return fields, nil, MULTIPART
  end
  return nil, "unsupported content type '" .. content_type .. "'", content_type
end

local function encode_multipart(fields)
  local boundary = string.format("%08x%08x", math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
  local names, out = {}, {}
  for name, value in pairs(fields) do
    if type(value) == "table" or type(value) == "function" then
      return nil, "invalid value for \"" .. tostring(name) .. "\": got a " .. type(value)
    end
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    out[#out + 1] = string.format('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n',
      boundary, name, tostring(fields[name]))
  end
  out[#out + 1] = "--" .. boundary .. "--\r\n"
  return table.concat(out), "multipart/form-data; boundary=" .. boundary
end

-- Text and its Content-Type, or nil and a message.
function body.encode(fields, content_type)
  local media_type = body.media_type(content_type)
  if media_type == FORM then
    return ngx.encode_args(fields), FORM
  elseif media_type == JSON then
    local text, err = cjson.encode(fields)
    if not text then
      return nil, err
    end
    return text, JSON
  elseif media_type == MULTIPART then
    return encode_multipart(fields)
  end
  return nil, media_type and "unsupported content type '" .. content_type .. "'"
    or "mime type must be given: the request has no Content-Type"
end

return body
