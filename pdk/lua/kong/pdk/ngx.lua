-- SPDX-License-Identifier: Apache-2.0
-- The part of the `ngx` table that exists: logging, time, text, the request's context and variables.
-- pdk/README.md lists it.

local floor = math.floor

local MONTHS = {}
for index, name in ipairs({ "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }) do
  MONTHS[name] = index
end

local LEVELS = { "EMERG", "ALERT", "CRIT", "ERR", "WARN", "NOTICE", "INFO", "DEBUG" }

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function days_since_epoch(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local leap_days = floor(year / 4) - floor(year / 100) + floor(year / 400)
  return 365 * year + leap_days + floor((153 * (month - 3) + 2) / 5) + day - 719469
end

-- RFC 9110 section 5.6.7, the preferred format only; nil for anything else.
local function parse_http_time(text)
  local day, month, year, hour, min, sec =
    tostring(text):match("^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  month = MONTHS[month]
  if not month then
    return nil
  end
  return days_since_epoch(tonumber(year), month, tonumber(day)) * 86400
    + tonumber(hour) * 3600 + tonumber(min) * 60 + tonumber(sec)
end

local function add_time(ngx, native)
  local now = native["ngx.now"]
  ngx.now = now
  ngx.time = function() return floor(now()) end
  ngx.update_time = function() end -- the time is that of the loop's turn
  ngx.today = function() return os.date("%Y-%m-%d", floor(now())) end
  ngx.localtime = function() return os.date("%Y-%m-%d %H:%M:%S", floor(now())) end
  ngx.utctime = function() return os.date("!%Y-%m-%d %H:%M:%S", floor(now())) end
  ngx.http_time = function(at) return os.date("!%a, %d %b %Y %H:%M:%S GMT", at) end
  ngx.cookie_time = function(at) return os.date("!%a, %d-%b-%y %H:%M:%S GMT", at) end
  ngx.parse_http_time = parse_http_time
end

-- "a=1&b" as a table, decoded; a repeated name gives an array, a name without "=" gives true.
local function decode_args(text, max)
  local args, count = {}, 0
  local unescape = ngx.unescape_uri
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=(.*)$")
    name, value = unescape(name or pair), value and unescape(value) or true
    if name ~= "" then
      count = count + 1
      if count > (max or 100) then
        return args, "truncated"
      end
      local old = args[name]
      if old == nil then
        args[name] = value
      elseif type(old) == "table" then
        old[#old + 1] = value
      else
        args[name] = { old, value }
      end
    end
  end
  return args
end

local function encode_value(out, name, value)
  if value == true then
    out[#out + 1] = name
  elseif type(value) == "string" or type(value) == "number" then
    out[#out + 1] = name .. "=" .. ngx.escape_uri(tostring(value))
  elseif value ~= false then
    error("bad argument: the value of \"" .. name .. "\" is a " .. type(value), 3)
  end
end

-- Names are sorted, so that the same table always gives the same text.
local function encode_args(args)
  local names, out = {}, {}
  for name in pairs(args) do
    if type(name) ~= "string" then
      error("bad argument: arg keys must be strings", 2)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value, escaped = args[name], ngx.escape_uri(name)
    if type(value) == "table" then
      for _, item in ipairs(value) do
        encode_value(out, escaped, item)
      end
    else
      encode_value(out, escaped, value)
    end
  end
  return table.concat(out, "&")
end

-- ngx.var: read-only, what plugins use most.
local function make_variables(kong, native)
  local request, client = kong.request, kong.client
  local getters = {
    remote_addr = client.get_ip,
    remote_port = client.get_port,
    realip_remote_addr = client.get_ip,
    scheme = request.get_scheme,
    host = request.get_host,
    server_port = request.get_port,
    request_method = request.get_method,
    request_uri = request.get_path_with_query,
    uri = request.get_path,
    request_id = native["request.get_id"],
    kong_request_id = native["request.get_id"],
    status = function() return kong.response.get_status() end,
    upstream_status = function() return kong.service.response.get_status() end,
    pid = native["worker.pid"],
    hostname = kong.node.get_hostname,
    msec = native["ngx.now"],
    args = function()
      local query = request.get_raw_query()
      return query ~= "" and query or nil
    end,
    query_string = function()
      local query = request.get_raw_query()
      return query ~= "" and query or nil
    end,
    is_args = function() return request.get_raw_query() ~= "" and "?" or "" end,
    https = function() return request.get_scheme() == "https" and "on" or "" end,
    content_type = function() return request.get_header("content-type") end,
    content_length = function() return request.get_header("content-length") end,
    server_protocol = function()
      local version = request.get_http_version()
      return version == 2 and "HTTP/2.0" or "HTTP/" .. string.format("%.1f", version or 1.1)
    end,
  }
  local prefixes = {
    { "^http_(.+)$", request.get_header },
    { "^arg_(.+)$", function(name)
      local value = request.get_query_arg(name)
      return value == true and "" or value
    end },
    { "^sent_http_(.+)$", function(name) return kong.response.get_header(name:gsub("_", "-")) end },
    { "^upstream_http_(.+)$", function(name)
      return kong.service.response.get_header((name:gsub("_", "-")))
    end },
    { "^cookie_(.+)$", function(name)
      local cookies = "; " .. (request.get_header("cookie") or "")
      local from = select(2, cookies:find("; " .. name .. "=", 1, true))
      return from and cookies:match("^[^;]*", from + 1) or nil
    end },
  }
  return setmetatable({}, {
    __index = function(_, name)
      local getter = getters[name]
      if getter then
        return getter()
      end
      for _, prefix in ipairs(prefixes) do
        local rest = tostring(name):match(prefix[1])
        if rest then
          return prefix[2](rest)
        end
      end
      return nil
    end,
    __newindex = function(_, name)
      error("ngx.var." .. tostring(name) .. " cannot be set; use kong.service.request", 2)
    end,
  })
end

local function make_header(kong)
  return setmetatable({}, {
    __index = function(_, name)
      return kong.response.get_header((tostring(name):gsub("_", "-")))
    end,
    __newindex = function(_, name, value)
      name = tostring(name):gsub("_", "-")
      if value == nil or type(value) == "table" and #value == 0 then
        kong.response.clear_header(name)
      else
        kong.response.set_header(name, value)
      end
    end,
  })
end

-- ngx.arg of body_filter: [1] is the chunk, [2] whether it is the last.
local function make_arg(kong, native)
  local get_chunk, set_chunk = native["response.get_chunk"], native["response.set_chunk"]
  return setmetatable({}, {
    __index = function(_, index)
      local chunk, is_last = get_chunk()
      if index == 1 then
        return chunk
      end
      if index == 2 then
        return is_last
      end
      return nil
    end,
    __newindex = function(_, index, value)
      if index == 1 then
        if value ~= nil and type(value) ~= "string" then
          value = tostring(value)
        end
        set_chunk(value)
      elseif index == 2 then
        local chunk, is_last = get_chunk()
        if value and not is_last then
          kong.response.set_raw_body(chunk)
        end
      else
        error("bad argument: ngx.arg has the members 1 and 2", 2)
      end
    end,
  })
end

local function add_requests(ngx, kong)
  ngx.req = {
    get_method = kong.request.get_method,
    get_headers = kong.request.get_headers,
    get_uri_args = kong.request.get_query,
    set_header = kong.service.request.set_header,
    clear_header = kong.service.request.clear_header,
    start_time = function() return kong.request.get_start_time() / 1000 end,
    http_version = kong.request.get_http_version,
    read_body = function() kong.request.get_raw_body() end,
    get_body_data = function()
      local body = kong.request.get_raw_body()
      return body ~= "" and body or nil
    end,
  }
  ngx.resp = { get_headers = kong.response.get_headers }
end

local function add_dynamic(ngx, kong, native)
  local readers = {
    ctx = native["ngx.get_ctx"],
    status = function() return kong.response.get_status() end,
  }
  local writers = {
    ctx = native["ngx.set_ctx"],
    status = function(value) kong.response.set_status(tonumber(value)) end,
  }
  setmetatable(ngx, {
    __index = function(_, name)
      local reader = readers[name]
      return reader and reader()
    end,
    __newindex = function(self, name, value)
      local writer = writers[name]
      if writer then
        writer(value)
      else
        rawset(self, name, value)
      end
    end,
  })
end

return function(kong, native)
  local ngx = {
    null = require("cjson").null,
    OK = 0, ERROR = -1, AGAIN = -2, DONE = -4, DECLINED = -5,
    log = native["ngx.log"],
    sleep = native["ngx.sleep"],
    get_phase = native["ngx.get_phase"],
    escape_uri = native["ngx.escape_uri"],
    unescape_uri = native["ngx.unescape_uri"],
    encode_base64 = native["ngx.encode_base64"],
    decode_base64 = native["ngx.decode_base64"],
    encode_args = encode_args,
    decode_args = decode_args,
    config = { subsystem = "http", debug = false },
    worker = {
      id = native["worker.id"],
      count = native["worker.count"],
      pid = native["worker.pid"],
      exiting = native["worker.exiting"],
    },
    STDERR = 0,
  }
  for number, name in ipairs(LEVELS) do
    ngx[name] = number
  end
  for name, status in pairs(require("kong.constants").HTTP_STATUS) do
    ngx["HTTP_" .. name] = status
  end
  _G.ngx = ngx
  add_time(ngx, native)
  ngx.var = make_variables(kong, native)
  ngx.header = make_header(kong)
  ngx.arg = make_arg(kong, native)
  add_requests(ngx, kong)
  add_dynamic(ngx, kong, native)
end
