-- SPDX-License-Identifier: Apache-2.0
-- The Kong version whose interface is honoured; plugins use it as their own VERSION.

local version = kong.version
local major, minor, patch = version:match("^(%d+)%.(%d+)%.?(%d*)")

return {
  _NAME = "kong",
  _VERSION = version,
  _VERSION_TABLE = setmetatable(
    { major = tonumber(major), minor = tonumber(minor), patch = tonumber(patch) or 0 },
    { __tostring = function() return version end }
  ),
  core_version = version,
  version = version,
}
