-- SPDX-License-Identifier: Apache-2.0
-- Lets `require "kong.plugins.<name>.<file>"` also find <name>/<file>.lua along package.path, so that
-- a plugin may live in its own directory without Kong's layout around it.

local function find_flat(module)
  local rest = module:match("^kong%.plugins%.(.+)$")
  if not rest then
    return nil
  end
  local path, err = package.searchpath(rest, package.path)
  if not path then
    return err
  end
  local chunk, message = loadfile(path)
  if not chunk then
    error("error loading module '" .. module .. "' from file '" .. path .. "':\n\t" .. message, 0)
  end
  return chunk
end

return function()
  table.insert(package.loaders, 3, find_flat)
end
