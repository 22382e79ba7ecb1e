-- SPDX-License-Identifier: Apache-2.0
-- kong.service.response: the decoded body.

local body = require "kong.pdk.body"

return function(kong)
  local response = kong.service.response

  function response.get_body(mimetype, max_args)
    if mimetype ~= nil and type(mimetype) ~= "string" then
      error("mimetype must be a string", 2)
    end
    local content_type = mimetype or response.get_header("content-type")
    return body.decode(response.get_raw_body(), content_type, max_args)
  end
end
