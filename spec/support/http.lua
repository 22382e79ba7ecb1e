-- SPDX-License-Identifier: Apache-2.0
-- http: a small HTTP/1.1 client on one keep-alive connection, with the surface of Kong's spec clients.
--
-- send() returns when the head of the answer has been read; the body is read when it is asked for, so
-- a spec can watch a stream arrive. A connection that the server announced to close is opened anew by
-- the next send(); one that it closed without a word is an error, for that is what specs look for.
local cjson = require "cjson.safe"
local socket = require "socket"

local http = {}

local Client = {}
Client.__index = Client

local case_insensitive = {
  __index = function(headers, name)
    return type(name) == "string" and rawget(headers, name:lower()) or nil
  end,
}

local function escape(text)
  return (tostring(text):gsub("[^%w%-_%.~]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

-- `{ a = 1, b = { 2, 3 } }` as a=1&b=2&b=3, names sorted; text passes as it is.
function http.encode_args(args)
  if type(args) ~= "table" then
    return tostring(args)
  end
  local names, parts = {}, {}
  for name in pairs(args) do
    names[#names + 1] = name
  end
  table.sort(names, function(x, y) return tostring(x) < tostring(y) end)
  for _, name in ipairs(names) do
    local value = args[name]
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      parts[#parts + 1] = one == true and escape(name) or escape(name) .. "=" .. escape(one)
    end
  end
  return table.concat(parts, "&")
end

-- options: host, port, timeout (seconds), tls, sni, verify is never done (certificates are made up).
function http.client(options)
  options.timeout = options.timeout or 10
  return setmetatable({ settings = options }, Client)
end

function Client:connect()
  local options = self.settings
  local sock = socket.tcp()
  sock:settimeout(options.timeout)
  local ok, reason = sock:connect(options.host, options.port)
  if not ok then
    sock:close()
    return nil, ("connect to %s:%d: %s"):format(options.host, options.port, reason)
  end
  sock:setoption("tcp-nodelay", true)
  if options.tls then
    local ssl = require "ssl"
    sock = assert(ssl.wrap(sock, { mode = "client", protocol = "any", verify = "none",
      options = { "all", "no_sslv3" }, certificate = options.certificate, key = options.key }))
    if options.sni then
      sock:sni(options.sni)
    end
    sock:settimeout(options.timeout)
    ok, reason = sock:dohandshake()
    if not ok then
      sock:close()
      return nil, "TLS handshake: " .. tostring(reason)
    end
  end
  self.sock = sock
  return true
end

function Client:close()
  if self.sock then
    self.sock:close()
    self.sock, self.pending = nil, nil
  end
  return true
end

local function find_header(headers, wanted)
  for name, value in pairs(headers) do
    if type(name) == "string" and name:lower() == wanted then
      return value
    end
  end
end

local function encode_body(body, content_type)
  if type(body) ~= "table" then
    return body and tostring(body), content_type
  end
  if content_type and content_type:find("application/x-www-form-urlencoded", 1, true) then
    return http.encode_args(body), content_type
  end
  if content_type and content_type:find("multipart/form-data", 1, true) then
    local boundary = content_type:match("boundary=([^;]+)") or "8fd84e9444e3946c"
    local parts = {}
    for name, value in pairs(body) do
      parts[#parts + 1] = ('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'):format(
        boundary, name, tostring(value))
    end
    return table.concat(parts) .. "--" .. boundary .. "--\r\n",
      content_type:find("boundary=", 1, true) and content_type or content_type .. "; boundary=" .. boundary
  end
  return assert(cjson.encode(body)), content_type or "application/json"
end

-- The bytes of a request. Headers that are given always win; a false one is left out.
local function format_request(client, request)
  local given = request.headers or {}
  local body, content_type = encode_body(request.body, find_header(given, "content-type"))
  local path = request.path or "/"
  if request.query and (type(request.query) ~= "table" or next(request.query) ~= nil) then
    path = path .. (path:find("?", 1, true) and "&" or "?") .. http.encode_args(request.query)
  end
  local lines = { ("%s %s HTTP/%s"):format(request.method or "GET", path, request.version or "1.1") }
  local function add(name, value)
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      lines[#lines + 1] = name .. ": " .. tostring(one)
    end
  end
  if find_header(given, "host") == nil then
    add("Host", ("%s:%d"):format(client.settings.host, client.settings.port))
  end
  if content_type then
    add("Content-Type", content_type)
  end
  local method = request.method or "GET"
  local is_expected = body ~= nil or method == "POST" or method == "PUT" or method == "PATCH"
  if is_expected and find_header(given, "content-length") == nil
    and find_header(given, "transfer-encoding") == nil then
    add("Content-Length", #(body or ""))
  end
  for name, value in pairs(given) do
    if value ~= false and name:lower() ~= "content-type" then
      add(name, value)
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

local function read_head(sock)
  local line, reason = sock:receive("*l")
  if not line then
    return nil, "reading the status line: " .. reason
  end
  local version, status, text = line:match("^HTTP/(%d%.%d) (%d%d%d) ?(.*)$")
  if not status then
    return nil, "not a status line: " .. line
  end
  local headers = setmetatable({}, case_insensitive)
  while true do
    line, reason = sock:receive("*l")
    if not line then
      return nil, "reading the headers: " .. reason
    end
    if line == "" then
      break
    end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if not name then
      return nil, "not a header line: " .. line
    end
    name = name:lower()
    local seen = rawget(headers, name)
    if type(seen) == "table" then
      seen[#seen + 1] = value
    elseif seen then
      headers[name] = { seen, value }
    else
      headers[name] = value
    end
  end
  return { status = tonumber(status), reason = text, version = version, headers = headers }
end

-- One piece of the body per call; nil at its end; nil and a reason if it was cut off.
local function body_reader(client, res, method)
  local sock = client.sock
  local headers = res.headers
  local is_closing = (headers["connection"] or ""):lower():find("close", 1, true) ~= nil
    or res.version == "1.0"
  local length = tonumber(headers["content-length"])
  local is_chunked = (headers["transfer-encoding"] or ""):lower():find("chunked", 1, true) ~= nil
  local has_none = method == "HEAD" or res.status == 204 or res.status == 304 or res.status < 200
  local is_done = has_none or (not is_chunked and length == 0)

  local function finish()
    is_done = true
    client.pending = nil
    if is_closing or not (is_chunked or length or has_none) then
      client:close()
    end
  end
  if is_done then
    finish()
    return function() end
  end
  client.pending = true

  local function fail(reason)
    is_done = true
    client:close()
    return nil, reason
  end
  local function read_chunk()
    local line, reason = sock:receive("*l")
    local size = line and tonumber(line:match("^%x+"), 16)
    if not size then
      return fail("chunk size: " .. (reason or line))
    end
    if size == 0 then
      repeat
        line, reason = sock:receive("*l")
        if not line then
          return fail("trailer: " .. reason)
        end
        local name, value = line:match("^([^:]+):%s*(.-)%s*$")
        if name then
          res.trailers[name:lower()] = value
        end
      until line == ""
      return finish()
    end
    local data
    data, reason = sock:receive(size)
    if not data or sock:receive(2) ~= "\r\n" then
      return fail("chunk data: " .. (reason or "no CRLF after it"))
    end
    return data
  end
  return function()
    if is_done then
      return nil
    end
    if is_chunked then
      return read_chunk()
    end
    local data, reason, partial = sock:receive(length or "*a")
    if not data then
      return fail(("body of %s bytes ended after %d: %s"):format(length or "?", #(partial or ""), reason))
    end
    finish()
    return data
  end
end

-- request: method, path, headers, body (text, or a table for JSON, form and multipart), query. The
-- answer: status, reason, headers (any case; repeated lines are a table), next_chunk(), read_body(),
-- json(), trailers.
function Client:send(request)
  if self.pending then
    self:close()
  end
  if not self.sock then
    local ok, reason = self:connect()
    if not ok then
      return nil, reason
    end
  end
  local sent, reason = self.sock:send(format_request(self, request))
  -- A server may answer and close before it has read everything (413): look for the answer first.
  local res, why
  repeat
    res, why = read_head(self.sock)
  until not res or res.status >= 200 or res.status == 101
  if not res then
    self:close()
    return nil, sent and why or reason
  end
  res.trailers = {}
  local method = (request.method or "GET"):upper()
  res.next_chunk = body_reader(self, res, method)
  res.body_reader = res.next_chunk
  local body, body_error
  function res.read_body()
    if not body and not body_error then
      local pieces = {}
      local piece
      repeat
        piece, body_error = res.next_chunk()
        pieces[#pieces + 1] = piece
      until not piece
      body = not body_error and table.concat(pieces) or nil
    end
    return body, body_error
  end
  function res.json()
    local text, no_body = res.read_body()
    if not text then
      return nil, no_body
    end
    return cjson.decode(text)
  end
  return res
end

for _, method in ipairs { "get", "post", "put", "patch", "delete", "head", "options" } do
  Client[method] = function(client, path, request)
    local copy = { method = method:upper(), path = path }
    for name, value in pairs(request or {}) do
      copy[name] = value
    end
    return client:send(copy)
  end
end

-- Sends `bytes` as they are and returns all that comes back until the peer closes or is silent for
-- `timeout` seconds; then a second value "timeout" or "closed".
function http.raw_request(bytes, host, port, timeout, tls)
  local client = http.client { host = host, port = port, timeout = timeout or 3, tls = tls }
  assert(client:connect())
  client.sock:send(bytes)
  local pieces = {}
  while true do
    local data, reason, partial = client.sock:receive(8192)
    pieces[#pieces + 1] = data or partial
    if not data then
      client:close()
      return table.concat(pieces), reason
    end
  end
end

return http
