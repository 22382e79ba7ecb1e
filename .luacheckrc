-- SPDX-License-Identifier: Apache-2.0
-- Lua checks of `make lint`: LuaJIT, `self` may go unused (handlers are methods), lines up to 120.
std = "luajit"
self = false
max_line_length = 120
cache = false
-- The whole kong.* and ngx.* development kit is there for every plugin.
globals = { "kong", "ngx" }
files["spec/**/*.lua"] = { std = "luajit+busted" }
