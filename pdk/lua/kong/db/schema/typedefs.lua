-- SPDX-License-Identifier: Apache-2.0
-- Field definitions that plugin schemas share: `typedefs.port`, `typedefs.protocols_http`, and so on.
-- A definition may be adapted by calling it: typedefs.port { required = true }.

local strings = require "kong.tools.string"

local null = ngx.null
local PROTOCOLS = { "grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp" }
local METHODS = { "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT" }

-- ---------------------------------------------------------------------------------- validators

local function is_ipv4(text)
  local a, b, c, d = text:match("^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  return a ~= nil and math.max(tonumber(a), tonumber(b), tonumber(c), tonumber(d)) <= 255
end

local function is_ipv6(text)
  local head, v4 = text:match("^(.*:)(%d+%.%d+%.%d+%.%d+)$")
  if v4 then
    if not is_ipv4(v4) then
      return false
    end
    text = head .. "0:0"
  end
  if not text:find("^[%x:]+$") or text:find(":::", 1, true) or not text:find(":", 1, true) then
    return false
  end
  local _, gaps = text:gsub("::", "")
  local groups = 0
  for group in text:gmatch("%x+") do
    groups = groups + 1
    if #group > 4 then
      return false
    end
  end
  if gaps == 0 and (text:find("^:") or text:find(":$")) then
    return false
  end
  return gaps == 0 and groups == 8 or gaps == 1 and groups < 8
end

local function is_ip(text)
  return is_ipv4(text) or is_ipv6(text)
end

local function check_ip(text)
  if is_ip(text) then
    return true
  end
  return nil, "not an ip address: " .. text
end

local function is_cidr(text)
  local address, bits = text:match("^([^/]+)/(%d%d?%d?)$")
  bits = tonumber(bits)
  return address ~= nil and (is_ipv4(address) and bits <= 32 or is_ipv6(address) and bits <= 128)
end

local function check_ip_or_cidr(text)
  if is_ip(text) or is_cidr(text) then
    return true
  end
  return nil, "invalid ip or cidr range: '" .. text .. "'"
end

local function check_cidr_v4(text)
  local address = text:match("^([^/]+)/")
  if address and is_ipv4(address) and is_cidr(text) then
    return true
  end
  return nil, "invalid ip or cidr range: '" .. text .. "'"
end

-- Host and port of "name", "name:80", "1.2.3.4:80", "[::1]:80" or "::1"; nil if it is none.
local function split_host(text)
  if is_ipv6(text) then
    return text
  end
  local host, port = text:match("^%[([%x:.]+)%]:?(%d*)$")
  if host then
    return is_ipv6(host) and host or nil, tonumber(port)
  end
  host, port = text:match("^([^:]+):?(%d*)$")
  if not host or text:find(":$") or (tonumber(port) or 0) > 65535 then
    return nil
  end
  if is_ipv4(host) then
    return host, tonumber(port)
  end
  if #host > 255 or not host:find("^[%w_]") or not host:find("^[%w_.-]+$") or host:find("..", 1, true)
    or host:find("%-$") or host:find("^[%d.]+$") then
    return nil
  end
  return host, tonumber(port)
end

local function check_host(text)
  local host, port = split_host(text)
  if not host then
    return nil, "invalid value: " .. text
  elseif port then
    return nil, "must not have a port"
  end
  return true
end

local function check_host_with_optional_port(text)
  if split_host(text) then
    return true
  end
  return nil, "invalid value: " .. text
end

-- One "*" as the leftmost or rightmost label.
local function check_wildcard_host(text)
  local _, count = text:gsub("%*", "")
  if count > 1 then
    return nil, "only one wildcard must be specified"
  elseif count == 1 then
    if not (text:find("^%*%.") or text:find("%.%*$")) then
      return nil, "wildcard must be leftmost or rightmost character"
    end
    text = text:gsub("%*", "wildcard")
  end
  local host, port = split_host(text)
  if not host then
    return nil, "invalid value: " .. text
  elseif is_ip(host) then
    return nil, "must not be an IP"
  elseif port then
    return nil, "must not have a port"
  end
  return true
end

local function check_path(text)
  if text:sub(1, 1) ~= "/" then
    return nil, "should start with: /"
  end
  local bad = text:match("[^%w%.%-_~/%%!%$&'%(%)%*%+,;=:@]")
  if bad then
    return nil, "invalid path: '" .. text .. "' (characters outside of the reserved list of RFC 3986 found)"
  end
  for escape in text:gmatch("%%(.?.?)") do
    if not escape:find("^%x%x$") then
      return nil, "invalid url-encoded value: '%" .. escape .. "'"
    end
  end
  if text:find("//", 1, true) then
    return nil, "must not have empty segments"
  end
  return true
end

local function check_router_path(text)
  if text:sub(1, 1) == "~" then
    return true
  end
  return check_path(text)
end

local function check_url(text)
  local scheme, rest = text:match("^(%a[%w+.-]*)://(.*)$")
  if not scheme then
    return nil, "missing scheme in url"
  end
  local authority = rest:match("^[^/?#]*"):gsub("^.*@", "")
  if authority == "" then
    return nil, "missing host in url"
  end
  if not split_host(authority) then
    return nil, "invalid value: " .. text
  end
  return true
end

local function check_name(text)
  if text:find("^[%w%.%-_~]+$") then
    return true
  end
  return nil, "invalid value '" .. text .. "': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
end

local function check_utf8_name(text)
  local ok, at = strings.validate_utf8(text)
  if not ok then
    return nil, "invalid value '" .. text .. "': not valid UTF-8 at byte " .. at
  end
  if text:find("[^%w%.%-_~ \128-\255]") then
    return nil, "invalid value '" .. text
      .. "': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
  end
  return true
end

local function check_header_name(text)
  if text:find("^[%w!#$%%&'*+.^_`|~-]+$") then
    return true
  end
  return nil, "bad header name '" .. text .. "', allowed characters are A-Z, a-z, 0-9, '_', and '-'"
end

local function check_cookie_name(text)
  if text:find("^[%w!#$%%&'*+.^_`|~-]+$") then
    return true
  end
  return nil, "bad cookie name '" .. text .. "', allowed characters are A-Z, a-z, 0-9, '_', and '-'"
end

local function check_tag(text)
  if not strings.validate_utf8(text) then
    return nil, "invalid tag '" .. text .. "': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
  elseif text:find("[,/%c]") then
    return nil, "invalid tag '" .. text .. "'. expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
  end
  return true
end

-- PEM text (RFC 7468) with the given end of its label.
local function check_pem(label, noun)
  return function(text)
    if text:find("%-%-%-%-%-BEGIN [%u ]*" .. label .. "%-%-%-%-%-.*%-%-%-%-%-END [%u ]*" .. label) then
      return true
    end
    return nil, "invalid " .. noun .. ": expected PEM text"
  end
end

-- -------------------------------------------------------------------------------- definitions

-- Calling a definition gives a copy with members of its argument laid over it.
local adaptable = {
  __call = function(definition, changes)
    local copy = {}
    for key, member in pairs(definition) do
      copy[key] = member
    end
    for key, member in pairs(changes or {}) do
      copy[key] = member
    end
    return copy
  end,
}

local function define(definition)
  return setmetatable(definition, adaptable)
end

local function text_checked_by(check)
  return define { type = "string", custom_validator = check }
end

local function pinned(reference)
  return define { type = "foreign", reference = reference, eq = null }
end

local typedefs = {
  uuid = define { type = "string", uuid = true, auto = true },
  auto_timestamp_s = define { type = "integer", timestamp = true, auto = true },
  auto_timestamp_ms = define { type = "number", timestamp = true, auto = true },
  name = define { type = "string", unique = true, custom_validator = check_name },
  utf8_name = define { type = "string", unique = true, custom_validator = check_utf8_name },
  semantic_version = define { type = "string", match_any = {
    patterns = { "^%d+[%.%d]*$" }, err = "invalid version number: must be in format of X.Y.Z" } },

  host = text_checked_by(check_host),
  host_with_optional_port = text_checked_by(check_host_with_optional_port),
  wildcard_host = text_checked_by(check_wildcard_host),
  sni = text_checked_by(check_host),
  redis_host = text_checked_by(check_host),
  redis_server_name = text_checked_by(check_host),
  ip = text_checked_by(check_ip),
  ip_or_cidr = text_checked_by(check_ip_or_cidr),
  cidr_v4 = text_checked_by(check_cidr_v4),
  port = define { type = "integer", between = { 0, 65535 } },
  timeout = define { type = "integer", between = { 0, 2147483646 } },
  ttl = define { type = "number", gt = -1 },

  path = text_checked_by(check_path),
  router_path = text_checked_by(check_router_path),
  url = text_checked_by(check_url),
  http_method = define { type = "string", match = "^%u+$" },
  methods = define { type = "set", elements = { type = "string", one_of = METHODS } },
  protocol = define { type = "string", one_of = PROTOCOLS },
  protocols = define { type = "set", required = true, default = { "grpc", "grpcs", "http", "https" },
    elements = { type = "string", one_of = PROTOCOLS } },
  protocols_http = define { type = "set", required = true, default = { "grpc", "grpcs", "http", "https" },
    elements = { type = "string", one_of = { "grpc", "grpcs", "http", "https" } } },
  header_name = text_checked_by(check_header_name),
  cookie_name = text_checked_by(check_cookie_name),
  headers = define { type = "map",
    keys = { type = "string", custom_validator = check_header_name },
    values = { type = "array", elements = { type = "string" } } },

  certificate = text_checked_by(check_pem("CERTIFICATE", "certificate")),
  key = text_checked_by(check_pem("PRIVATE KEY", "key")),
  pem = text_checked_by(check_pem("", "pem")),
  tag = text_checked_by(check_tag),
  tags = define { type = "set", elements = { type = "string", custom_validator = check_tag } },
  lua_code = define { type = "map", keys = { type = "string" }, values = { type = "string" } },

  no_route = pinned("routes"),
  no_service = pinned("services"),
  no_consumer = pinned("consumers"),

  queue = define { type = "record", fields = {
    { max_batch_size = { type = "integer", default = 1, between = { 1, 1000000 } } },
    { max_coalescing_delay = { type = "number", default = 1, between = { 0, 3600 } } },
    { max_entries = { type = "integer", default = 10000, between = { 1, 1000000 } } },
    { max_bytes = { type = "integer" } },
    { initial_retry_delay = { type = "number", default = 0.01, between = { 0.001, 1000000 } } },
    { max_retry_delay = { type = "number", default = 60, between = { 0.001, 1000000 } } },
    { max_retry_time = { type = "number", default = 60 } },
    { concurrency_limit = { type = "integer", default = 1, one_of = { -1, 1 } } },
  } },
}

-- typedefs.no_hosts and the like: the field must not be set.
for _, name in ipairs({ "sources", "destinations", "hosts", "router_paths", "methods", "headers", "snis" }) do
  typedefs["no_" .. name] = define { type = "set", elements = { type = "string" }, eq = null }
end
typedefs.hosts = define { type = "array", elements = typedefs.wildcard_host }
typedefs.router_paths = define { type = "array", elements = typedefs.router_path }

return typedefs
