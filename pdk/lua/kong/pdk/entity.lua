-- SPDX-License-Identifier: Apache-2.0
-- Routes, services, consumers and credentials as tables: kong.router and parts of kong.client.

local cjson = require "cjson"

-- Decoded rows by their JSON text, which is the same for every request until the row changes.
local MAX_CACHED = 1000
local decoded, count = {}, 0

local function decode(json)
  if json == nil then
    return nil
  end
  local entity = decoded[json]
  if entity == nil then
    if count >= MAX_CACHED then
      decoded, count = {}, 0
    end
    entity = cjson.decode(json)
    decoded[json] = entity
    count = count + 1
  end
  return entity
end

local function authenticate(native, consumer, credential)
  if consumer ~= nil and type(consumer) ~= "table" then
    error("consumer must be a table or nil", 3)
  elseif credential ~= nil and type(credential) ~= "table" then
    error("credential must be a table or nil", 3)
  elseif consumer == nil and credential == nil then
    error("either credential or consumer must be provided", 3)
  end
  native(consumer and consumer.id, consumer and consumer.username, consumer and consumer.custom_id,
    consumer and cjson.encode(consumer), credential and cjson.encode(credential),
    credential and type(credential.id) == "string" and credential.id or nil)
end

return function(kong, native)
  local get_route, get_service = native["router.get_route"], native["router.get_service"]
  kong.router = {
    get_route = function() return decode(get_route()) end,
    get_service = function() return decode(get_service()) end,
  }
  local get_consumer, get_credential = native["client.get_consumer"], native["client.get_credential"]
  local load_consumer = native["client.load_consumer"]
  kong.client.get_consumer = function() return decode(get_consumer()) end
  kong.client.get_credential = function() return decode(get_credential()) end
  kong.client.load_consumer = function(id, by_username) return decode(load_consumer(id, by_username)) end
  kong.client.authenticate = function(consumer, credential)
    authenticate(native["client.authenticate"], consumer, credential)
  end
end
