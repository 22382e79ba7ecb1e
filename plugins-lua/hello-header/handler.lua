-- SPDX-License-Identifier: Apache-2.0
-- hello-header: adds one header to the request that the upstream gets and one to the response that the
-- client gets. Copy this directory to begin a plugin of your own.

local HelloHeader = {
  PRIORITY = 1000, -- higher runs first; the bundled authentication plugins are above 1000
  VERSION = "1.0.0",
}

-- Runs before the upstream is asked. `conf` is the checked configuration of the row that applies.
function HelloHeader:access(conf)
  local text = conf.greeting
  local consumer = kong.client.get_consumer()
  if conf.name_consumer and consumer and consumer.username then
    text = text .. ", " .. consumer.username
  end
  kong.service.request.set_header(conf.request_header, text)
  kong.ctx.plugin.text = text -- ours alone, until this request ends
end

-- Runs when the response's headers are known. Also for responses that no upstream made (another
-- plugin's exit, an error): access may then not have run.
function HelloHeader:header_filter(conf)
  kong.response.set_header(conf.response_header, kong.ctx.plugin.text or conf.greeting)
end

return HelloHeader
