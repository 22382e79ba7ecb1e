-- SPDX-License-Identifier: Apache-2.0
-- assertions: what Kong's specs say about answers and logs, for luassert.
--
--   local body = assert.res_status(200, res)
--   assert.response(res).has.status(200)         assert.response(res).has.header("X-Name")
--   assert.response(res).has.no.header("X-Name") local json = assert.response(res).has.jsonbody()
--   assert.request(res).has.header("x-name")     -- what the echo upstream saw
--   assert.request(res).has.queryparam("a")      assert.request(res).has.formparam("a")
--   assert.errlog().has.line("text")             assert.logfile(path).has.no.line("pattern", false)
local assert = require "luassert"
local cjson = require "cjson.safe"
local say = require "say"
local socket = require "socket"

local assertions = {}

-- Where errlog() looks; set by the helpers at start.
assertions.error_log = nil

local function read_file(path)
  local file = io.open(path)
  if not file then
    return nil
  end
  local text = file:read("*a")
  file:close()
  return text
end

-- The end of the error log, to make a failure explain itself.
local function log_tail()
  local text = assertions.error_log and read_file(assertions.error_log) or ""
  return text == "" and "" or "\n\nError log ends with:\n" .. text:sub(-1500)
end

-- luassert calls a modifier once with its arguments and again, without any, before the assertion. Its
-- state turns every unknown name that is read into a word of the sentence: hence rawget.
local function subject(kind)
  assert:register("modifier", kind, function(state, arguments)
    if arguments then
      rawset(state, "spec_kind", kind)
      rawset(state, "spec_subject", arguments[1])
    end
    return state
  end)
end
subject("response")
subject("request")

local function subject_of(state)
  local res = rawget(state, "spec_subject")
  if type(res) ~= "table" or not res.status then
    error("expected a response, found " .. tostring(res), 3)
  end
  return res
end

-- What the echo upstream wrote about the request that reached it.
local function seen_by_upstream(state)
  local res = subject_of(state)
  local seen = res.json()
  if type(seen) ~= "table" or not seen.headers then
    error("the answer is not from the echo upstream: " .. tostring((res.read_body())), 3)
  end
  return seen
end

-- Registers an assertion; `callback` leaves what its message shows in `arguments`.
local function define(name, positive, negative, callback)
  local function call(state, arguments)
    local verdict, results = callback(state, arguments)
    arguments.nofmt = { true, true, true }
    return verdict, results
  end
  say:set("assertion." .. name .. ".positive", positive)
  say:set("assertion." .. name .. ".negative", negative)
  assert:register("assertion", name, call, "assertion." .. name .. ".positive",
    "assertion." .. name .. ".negative")
end

local function check_status(arguments, expected, res)
  local body, reason = res.read_body()
  arguments[1] = res.status
  arguments[2] = expected
  arguments[3] = tostring(body or reason) .. log_tail()
  arguments.n = 3
  return res.status == expected, { body }
end

local status_text = "Status found:\n%s\nexpected:\n%s\nwith the body:\n%s"
define("res_status", status_text, status_text, function(_, arguments)
  local expected, res = arguments[1], arguments[2]
  if type(res) ~= "table" then
    error(("expected a response with status %s, found %s: %s"):format(
      expected, tostring(res), tostring(arguments[3])), 2)
  end
  return check_status(arguments, expected, res)
end)

define("status", status_text, "Status is %s, expected any but:\n%s\nwith the body:\n%s",
  function(state, arguments)
    return check_status(arguments, arguments[1], subject_of(state))
  end)

define("header", "Expected header:\n%s\nfound these:\n%s", "Unexpected header:\n%s\namong these:\n%s",
  function(state, arguments)
    local name = arguments[1]
    local headers = rawget(state, "spec_kind") == "request" and seen_by_upstream(state).headers
      or subject_of(state).headers
    local value = headers[name:lower()]
    arguments[2] = cjson.encode(headers)
    arguments.n = 2
    return value ~= nil, { value }
  end)

define("jsonbody", "Expected a JSON body, found:\n%s", "Expected no JSON body, found:\n%s",
  function(state, arguments)
    local res = subject_of(state)
    local body = res.read_body()
    local json = body and cjson.decode(body)
    if rawget(state, "spec_kind") == "request" and json then
      body = seen_by_upstream(state).body
      json = cjson.decode(body)
    end
    arguments[1] = body
    arguments.n = 1
    return json ~= nil, { json }
  end)

define("queryparam", "Expected query argument:\n%s\nfound these:\n%s",
  "Unexpected query argument:\n%s\namong these:\n%s", function(state, arguments)
    local args = seen_by_upstream(state).args
    local value = args[arguments[1]]
    arguments[2] = cjson.encode(args)
    arguments.n = 2
    return value ~= nil, { value }
  end)

define("formparam", "Expected form argument:\n%s\nfound the body:\n%s",
  "Unexpected form argument:\n%s\nin the body:\n%s", function(state, arguments)
    local body = seen_by_upstream(state).body
    local value
    for name, text in ("&" .. body):gmatch("&([^=&]+)=([^&]*)") do
      if name == arguments[1] then
        value = text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
      end
    end
    arguments[2] = body
    arguments.n = 2
    return value ~= nil, { value }
  end)

local function logfile_modifier(name)
  assert:register("modifier", name, function(state, arguments)
    if arguments then
      rawset(state, "spec_logfile", arguments[1] or assertions.error_log)
    end
    return state
  end)
end
logfile_modifier("logfile")
logfile_modifier("errlog")

local function find_line(path, pattern, is_plain)
  for line in (read_file(path) or ""):gmatch("[^\n]+") do
    if line:find(pattern, 1, is_plain) then
      return line
    end
  end
end

-- line(pattern, is_plain, timeout): waits up to `timeout` (2 s) for the line to be written; the
-- negative form looks once.
define("line", "Expected a line with:\n%s\nin %s", "Unexpected line with:\n%s\nin %s",
  function(state, arguments)
    local path, pattern = rawget(state, "spec_logfile"), arguments[1]
    local is_plain = arguments[2] ~= false
    local timeout = state.mod and (arguments[3] or 2) or 0
    local deadline = socket.gettime() + timeout
    local line = find_line(path, pattern, is_plain)
    while not line and socket.gettime() < deadline do
      socket.sleep(0.02)
      line = find_line(path, pattern, is_plain)
    end
    arguments[2] = path .. log_tail()
    arguments.n = 2
    return line ~= nil, { line }
  end)

return assertions
