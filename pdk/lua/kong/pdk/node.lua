-- SPDX-License-Identifier: Apache-2.0
-- kong.version, kong.configuration, kong.nginx.

-- "3.9.1" as 3009001.
local function version_number(version)
  local major, minor, patch = version:match("^(%d+)%.(%d+)%.?(%d*)")
  return tonumber(major) * 1000000 + tonumber(minor) * 1000 + (tonumber(patch) or 0)
end

-- Settings are text in the gateway; plugins expect booleans and numbers.
local function to_value(key, text)
  if text == "on" then
    return true
  elseif text == "off" and key ~= "database" then
    return false
  elseif text == "" then
    return nil
  end
  return tonumber(text) or text
end

return function(kong, native)
  local get_configuration = native["node.get_configuration"]
  local version = native["node.get_version"]() or "0.0.0"
  kong.version = version
  kong.version_num = version_number(version)
  kong.configuration = setmetatable({}, {
    __index = function(_, key)
      local text = get_configuration(key)
      return text and to_value(key, text)
    end,
    __newindex = function()
      error("cannot write to configuration", 2)
    end,
  })
  kong.nginx = { get_subsystem = function() return "http" end }
end
