-- SPDX-License-Identifier: Apache-2.0
-- UUIDs that plugins require as kong.tools.uuid.

local uuids = {}

local PATTERN = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

function uuids.is_valid_uuid(text)
  return type(text) == "string" and text:find(PATTERN) ~= nil
end

-- A random one (RFC 9562, version 4), from the system's random numbers.
function uuids.uuid()
  local source = assert(io.open("/dev/urandom", "rb"))
  local bytes = source:read(16)
  source:close()
  local hex = bytes:gsub(".", function(byte) return string.format("%02x", byte:byte()) end)
  local variant = string.format("%x", 8 + tonumber(hex:sub(17, 17), 16) % 4)
  return table.concat({ hex:sub(1, 8), hex:sub(9, 12), "4" .. hex:sub(14, 16),
    variant .. hex:sub(18, 20), hex:sub(21, 32) }, "-")
end

uuids.generate_v4 = uuids.uuid

return uuids
