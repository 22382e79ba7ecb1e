-- SPDX-License-Identifier: Apache-2.0
-- The plugins that README.md shows, as they stand there: the Lua one and the C one, loaded and running.
local helpers = require "spec.helpers"

-- The fenced blocks of one language, in order.
local function blocks(language)
  local found, lines = {}, nil
  for line in io.lines("README.md") do
    if lines and line == "```" then
      found[#found + 1] = table.concat(lines, "\n") .. "\n"
      lines = nil
    elseif lines then
      lines[#lines + 1] = line
    elseif line == "```" .. language then
      lines = {}
    end
  end
  return found
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

describe("the README's five-minute plugins", function()
  local folder = helpers.test_conf.prefix .. "-plugins"
  local proxy

  lazy_setup(function()
    helpers.process.run { "mkdir", "-p", folder .. "/kong/plugins/sunset" }
    local lua = blocks("lua")
    write(folder .. "/kong/plugins/sunset/handler.lua", lua[1])
    write(folder .. "/kong/plugins/sunset/schema.lua", lua[2])
    write(folder .. "/brew.c", blocks("c")[1])
    local status, out, err = helpers.process.run { "gcc", "-shared", "-fPIC", "-fvisibility=hidden", "-O2",
      "-Wall", "-Werror", "-o", folder .. "/brew.so", folder .. "/brew.c", "-Ipdk" }
    assert(status == 0, out .. err)

    local bp = helpers.get_db_utils()
    local old = bp.routes:insert { paths = { "/old" } }
    bp.plugins:insert { name = "sunset", route = old, config = { at = 0 } }
    local pot = bp.routes:insert { paths = { "/pot" } }
    bp.plugins:insert { name = "brew", route = pot }
    assert(helpers.start_kong {
      plugins = "bundled,sunset,brew",
      plugin_dirs = folder,
      lua_package_path = folder .. "/?.lua;" .. folder .. "/?/init.lua",
    })
    proxy = helpers.proxy_client()
  end)

  lazy_teardown(function()
    helpers.stop_kong()
    helpers.process.run { "rm", "-rf", folder }
  end)

  it("runs the Lua one", function()
    local res = proxy:get("/old")
    assert.res_status(410, res)
    assert.same("This API has been retired", res.json().message)
  end)

  it("runs the C one", function()
    assert.same("I'm a teapot", (assert.res_status(418, proxy:get("/pot", { headers = { ["X-Brew"] = "tea" } }))))
    assert.res_status(200, proxy:get("/pot"))
  end)
end)
