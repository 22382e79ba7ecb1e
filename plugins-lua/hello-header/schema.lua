-- SPDX-License-Identifier: Apache-2.0
-- The configuration of hello-header: types, defaults and checks of the Admin API.

local typedefs = require "kong.db.schema.typedefs"

-- The gateway sets these itself; a greeting in them would break the message.
local function is_free(name)
  local lower = name:lower()
  if lower == "host" or lower == "content-length" or lower == "transfer-encoding" or lower == "connection" then
    return nil, "must not be a header of the message framing: " .. name
  end
  return true
end

return {
  name = "hello-header",
  fields = {
    { protocols = typedefs.protocols_http },
    { config = {
      type = "record",
      fields = {
        { greeting = { type = "string", required = true, default = "hello", len_max = 200,
          not_match = "[%c]", description = "Text of both headers." } },
        { request_header = { type = "string", required = true, default = "X-Hello", match = "^[%w_-]+$",
          custom_validator = is_free, description = "Header of the request to the upstream." } },
        { response_header = { type = "string", required = true, default = "X-Hello", match = "^[%w_-]+$",
          custom_validator = is_free, description = "Header of the response to the client." } },
        { name_consumer = { type = "boolean", required = true, default = false,
          description = "Append the name of the authenticated consumer." } },
      },
    } },
  },
}
