-- SPDX-License-Identifier: Apache-2.0
-- The sample C plugin (examples/c-plugin): built with one line against an installed header alone, then
-- loaded by the installed gateway, which finds its own files below the prefix it was installed to.
local helpers = require "spec.helpers"

local run = helpers.process.run

describe("a C plugin outside the tree", function()
  local tree = helpers.test_conf.prefix .. "-installed"
  local node = helpers.new_node()
  local client

  -- The build that is under test: build, or build/<sanitizers>.
  local build = os.getenv("SLUICE_BUILD") or "build"
  local sanitize = build:match("/build/([^/]+)$")

  local function shell(script)
    local status, out, err = run({ "sh", "-c", script }, { timeout = 300,
      env = { PKG_CONFIG_PATH = tree .. "/lib/pkgconfig", TREE = tree } })
    return status, out .. err
  end

  lazy_setup(function()
    local status, output = shell(("make install BUILD=%s PREFIX=%s SANITIZE=%s"):format(build, tree,
      (sanitize or ""):gsub("-", ",")))
    assert(status == 0, output)
    status, output = shell([[cd "$TREE" && gcc -std=c11 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden \
      -o teapot.so "$OLDPWD/examples/c-plugin/teapot.c" $(pkg-config --cflags sluice-pdk) &&
      install teapot.so "$(pkg-config --variable=plugindir sluice-pdk)"]])
    assert(status == 0, output)
    node.binary = tree .. "/bin/sluice"
    local bp = helpers.blueprint.new { host = helpers.mock_upstream_host, port = helpers.mock_upstream_port }
    local route = bp.routes:insert { paths = { "/" } }
    bp.plugins:insert { name = "teapot", route = route, config = { accepts = "green tea" } }
    assert(node:start { plugins = "bundled,teapot", workers = 1 })
    bp:flush(function() return node:admin_client() end)
    client = node:proxy_client()
  end)

  lazy_teardown(function()
    node:stop()
    run { "rm", "-rf", tree }
  end)

  it("is compiled against pdk.h, with libc alone beside it", function()
    local status, output = shell([[grep -ho '#include *<[^>]*>' "$TREE/include/sluice/pdk.h" | sort]])
    assert.same(0, status)
    assert.same("#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n", output)
  end)

  it("passes what it has nothing against", function()
    assert.res_status(200, client:get("/"))
    assert.res_status(200, client:get("/", { headers = { ["X-Brew"] = "green tea" } }))
  end)

  it("refuses with its own status, body and headers, and keeps state per worker", function()
    for count = 1, 2 do
      local res = client:get("/", { headers = { ["X-Brew"] = "coffee" } })
      assert.same('{"message":"I\'m a teapot"}', (assert.res_status(418, res)))
      assert.same(tostring(count), res.headers["X-Teapot-Refusals"])
    end
  end)

  it("has its fields in the schema of the Admin API", function()
    local res = assert(node:admin_client():get("/schemas/plugins/teapot"))
    assert.res_status(200, res)
    local defaults = {}
    for _, field in ipairs(res.json().fields) do
      for _, config in ipairs(field.config and field.config.fields or {}) do
        for name, attributes in pairs(config) do
          defaults[name] = attributes.default
        end
      end
    end
    assert.same({ header = "X-Brew", accepts = "tea" }, defaults)
  end)

  it("stops the start when it cannot be loaded, naming file, reason and where it was looked for", function()
    local other = helpers.new_node()
    other.binary = node.binary
    local ok, reason = other:start { plugins = "bundled,no-such-plugin" }
    assert.is_nil(ok)
    assert.truthy(reason:find("no-such-plugin", 1, true), reason)
    assert.truthy(reason:find("lib/sluice/plugins", 1, true), reason)
    other:destroy()
  end)
end)
