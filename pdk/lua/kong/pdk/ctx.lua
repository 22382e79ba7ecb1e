-- SPDX-License-Identifier: Apache-2.0
-- kong.ctx: shared by all plugins of a request, or private to a plugin's row; nil outside requests.

return function(kong, native)
  kong.ctx = setmetatable({}, {
    __index = native["ctx.get"],
    __newindex = function(_, name)
      error("kong.ctx." .. tostring(name) .. " cannot be replaced; set members of it", 2)
    end,
  })
end
