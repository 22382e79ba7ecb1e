-- SPDX-License-Identifier: Apache-2.0
-- The old collection kong.tools.utils, gone since Kong 3.0 but still required by plugins: the functions
-- of kong.tools.table, kong.tools.string and kong.tools.uuid under one name.

local utils = {}

for _, name in ipairs({ "table", "string", "uuid" }) do
  for key, member in pairs(require("kong.tools." .. name)) do
    utils[key] = member
  end
end

return utils
