-- SPDX-License-Identifier: Apache-2.0
-- ports: free loopback ports, below the range from which the kernel takes ports for outgoing
-- connections, so that none of those grabs a port between our look and the server's bind.
local socket = require "socket"

local ports = {}
local taken = {}

local function is_free(port, address)
  local server = socket.bind(address, port)
  if server then
    server:close()
  end
  return server ~= nil
end

-- A port that nobody listens on, on every address of the list (127.0.0.1 alone by default).
function ports.free(addresses)
  for _ = 1, 1000 do
    local port = math.random(20000, 31999)
    local is_good = not taken[port]
    for _, address in ipairs(addresses or { "127.0.0.1" }) do
      is_good = is_good and is_free(port, address)
    end
    if is_good then
      taken[port] = true
      return port
    end
  end
  error("no free port between 20000 and 31999")
end

local urandom = assert(io.open("/dev/urandom", "rb"))
local a, b, c = urandom:read(3):byte(1, 3)
urandom:close()
math.randomseed(a * 65536 + b * 256 + c)

return ports
