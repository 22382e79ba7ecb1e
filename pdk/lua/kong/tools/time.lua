-- SPDX-License-Identifier: Apache-2.0
-- Clock helpers that plugins require as kong.tools.time. Resolution is that of the gateway's loop.

local times = {}

function times.time_ns()
  return ngx.now() * 1e9
end

function times.get_updated_now()
  return ngx.now()
end

function times.get_now_ms()
  return ngx.now() * 1000
end

times.get_updated_now_ms = times.get_now_ms

return times
