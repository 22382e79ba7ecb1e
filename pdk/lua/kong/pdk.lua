-- SPDX-License-Identifier: Apache-2.0
-- Assembles the globals `kong` and `ngx`. Called once per Lua state by lua_binding.c with the table
-- `kong`, which holds the functions that need no Lua around them, and `native`, which holds the
-- others under names such as "response.exit".

-- The modules in an order in which each finds what it uses: ngx before those that log or sleep.
local MODULES = {
  "kong.pdk.loader",
  "kong.pdk.ngx",
  "kong.pdk.log",
  "kong.pdk.node",
  "kong.pdk.table",
  "kong.pdk.ctx",
  "kong.pdk.entity",
  "kong.pdk.request",
  "kong.pdk.service_request",
  "kong.pdk.service_response",
  "kong.pdk.response",
}

return function(kong, native)
  for _, name in ipairs(MODULES) do
    require(name)(kong, native)
  end
end
