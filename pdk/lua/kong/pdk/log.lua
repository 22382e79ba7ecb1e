-- SPDX-License-Identifier: Apache-2.0
-- kong.log: the level functions are native; here are inspect, serialize and deprecation.

local cjson = require "cjson"

local MAX_DEPTH = 8
local MODES = { set = true, add = true, replace = true }

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
      return a < b
    end
    return tostring(a) < tostring(b)
  end)
  return keys
end

-- Lua text of a value; tables are entered once and to a limited depth.
local function describe(value, depth, seen)
  if type(value) == "string" then
    return string.format("%q", value)
  end
  if type(value) ~= "table" then
    return tostring(value)
  end
  if seen[value] or depth > MAX_DEPTH then
    return "{...}"
  end
  seen[value] = true
  local parts, count = {}, #value
  for index = 1, count do
    parts[index] = describe(value[index], depth + 1, seen)
  end
  for _, key in ipairs(sorted_keys(value)) do
    if not (type(key) == "number" and key >= 1 and key <= count and key % 1 == 0) then
      local name = type(key) == "string" and key:match("^[%a_][%w_]*$") and key
        or "[" .. describe(key, depth + 1, seen) .. "]"
      parts[#parts + 1] = name .. " = " .. describe(value[key], depth + 1, seen)
    end
  end
  seen[value] = nil
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- kong.log.inspect(...) writes its arguments as Lua text; on() and off() switch it.
local function make_inspect(log)
  local is_on = true
  return setmetatable({
    on = function() is_on = true end,
    off = function() is_on = false end,
  }, {
    __call = function(_, ...)
      if not is_on then
        return
      end
      local parts = {}
      for index = 1, select("#", ...) do
        parts[index] = describe((select(index, ...)), 1, {})
      end
      log.notice(table.concat(parts, " "))
    end,
  })
end

local function deprecation(log, ...)
  local parts = { ... }
  local options = type(parts[#parts]) == "table" and table.remove(parts) or {}
  for index = 1, #parts do
    parts[index] = tostring(parts[index])
  end
  local text = table.concat(parts)
  if options.after or options.removal then
    text = string.format("%s (%s%s%s)", text,
      options.after and "deprecated after " .. options.after or "",
      options.after and options.removal and ", " or "",
      options.removal and "scheduled for removal in " .. options.removal or "")
  end
  log.warn(text)
end

local function set_serialize_value(native, key, value, options)
  if type(key) ~= "string" then
    error("key must be a string", 3)
  end
  local mode = options and options.mode or "set"
  if not MODES[mode] then
    error("mode must be 'set', 'add' or 'replace'", 3)
  end
  local json
  if value ~= nil then
    local ok
    ok, json = pcall(cjson.encode, value)
    if not ok then
      error("value must be nil, a number, string, boolean or a non-self-referencing table containing"
        .. " numbers, string and booleans", 3)
    end
  end
  native(key, json, mode)
end

return function(kong, native)
  local log = kong.log
  log.inspect = make_inspect(log)
  log.deprecation = function(...) deprecation(log, ...) end
  log.serialize = function()
    local json = native["log.serialize"]()
    return json and cjson.decode(json)
  end
  log.set_serialize_value = function(key, value, options)
    set_serialize_value(native["log.set_serialize_value"], key, value, options)
  end
  setmetatable(log, { __call = function(_, ...) return log.notice(...) end })
end
