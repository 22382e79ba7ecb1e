-- SPDX-License-Identifier: Apache-2.0
-- kong.table.

local new_table = require "table.new"
local clear_table = require "table.clear"

-- Members of `first`, then those of `second` over them, in a new table.
local function merge(first, second)
  local merged = {}
  for _, source in ipairs({ first or {}, second or {} }) do
    for key, value in pairs(source) do
      merged[key] = value
    end
  end
  return merged
end

return function(kong)
  kong.table = {
    new = function(narr, nrec) return new_table(narr or 0, nrec or 0) end,
    clear = clear_table,
    merge = merge,
  }
end
