-- SPDX-License-Identifier: Apache-2.0
-- Lua checks of `make lint`: LuaJIT, `self` may go unused (handlers are methods), lines up to 120.
std = "luajit"
self = false
max_line_length = 120
cache = false
-- The whole kong.* and ngx.* development kit is there for every plugin.
globals = { "kong", "ngx" }
-- Bytes of a wire and what they must become read better on one line.
files["spec/**/*.lua"] = { std = "luajit+busted", max_line_length = 140 }
