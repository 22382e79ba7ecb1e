-- SPDX-License-Identifier: Apache-2.0
-- blueprint: bp.services:insert{...} and its like, as Kong's specs use them before start_kong().
--
-- insert() fills in what a spec does not care about, makes the id, remembers the row and returns it at
-- once. start_kong() then hands the rows to the gateway in that order, each as a PUT to its own path
-- (or, without a database, all of them as one declarative file). Once the gateway runs, insert()
-- talks to the Admin API directly and returns what it answered.
local cjson = require "cjson.safe"

local blueprint = {}

local Blueprint = {}

-- Entities that live below a parent in the Admin API: parent field, parent path, own path.
local NESTED = {
  keyauth_credentials = { "consumer", "consumers", "key-auth" },
  basicauth_credentials = { "consumer", "consumers", "basic-auth" },
  hmacauth_credentials = { "consumer", "consumers", "hmac-auth" },
  jwt_secrets = { "consumer", "consumers", "jwt" },
  acls = { "consumer", "consumers", "acls" },
  targets = { "upstream", "upstreams", "targets" },
}
local PARENTS = { "service", "route", "consumer", "upstream", "certificate" }

local urandom = assert(io.open("/dev/urandom", "rb"))

-- A random UUID, version 4.
function blueprint.uuid()
  local bytes = { urandom:read(16):byte(1, 16) }
  bytes[7] = bytes[7] % 16 + 64
  bytes[9] = bytes[9] % 64 + 128
  local hex = {}
  for index, byte in ipairs(bytes) do
    hex[index] = ("%02x"):format(byte)
  end
  local text = table.concat(hex)
  return ("%s-%s-%s-%s-%s"):format(text:sub(1, 8), text:sub(9, 12), text:sub(13, 16), text:sub(17, 20),
    text:sub(21))
end

local function copy_of(row)
  local copy = {}
  for name, value in pairs(row or {}) do
    copy[name] = value
  end
  return copy
end

local serial = 0
local function next_name(prefix)
  serial = serial + 1
  return prefix .. "-" .. serial
end

-- What a spec left out, per entity.
local defaults = {
  services = function(bp, row)
    row.name = row.name or next_name("service")
    if not row.url and not row.host then
      row.protocol, row.host, row.port = row.protocol or "http", bp.upstream.host, row.port or bp.upstream.port
    end
  end,
  routes = function(bp, row)
    if row.service == nil and not row.no_service then
      row.service = bp.services:insert()
    end
    row.no_service = nil
    if row.service == cjson.null then
      row.service = nil
    end
    if not (row.paths or row.hosts or row.methods or row.headers or row.snis or row.expression) then
      row.hosts = { next_name("route") .. ".test" }
    end
  end,
  consumers = function(_, row)
    row.username = row.username or (row.custom_id == nil and next_name("consumer") or nil)
  end,
  keyauth_credentials = function(bp, row)
    row.consumer = row.consumer or bp.consumers:insert()
    row.key = row.key or next_name("key")
  end,
  upstreams = function(_, row)
    row.name = row.name or next_name("upstream") .. ".test"
  end,
}

-- The plugins of Kong's blueprints that have a name of their own: bp.rate_limiting_plugins:insert{}.
local function plugin_of(entity)
  local name = entity:match("^(.+)_plugins$")
  return name and name:gsub("_", "-")
end

local Entity = {}
Entity.__index = Entity

local function path_of(entity, row)
  local nested = NESTED[entity]
  if nested then
    return ("/%s/%s/%s/%s"):format(nested[2], row[nested[1]].id, nested[3], row.id)
  end
  return ("/%s/%s"):format(entity, row.id)
end

local function body_of(entity, row)
  local body = copy_of(row)
  body.id = nil
  if NESTED[entity] then
    body[NESTED[entity][1]] = nil
  end
  return body
end

-- Inserts a row; see the head of the file.
function Entity:insert(given)
  local row = copy_of(given)
  local entity = self.entity
  local plugin = plugin_of(entity)
  if plugin then
    row.name, entity = plugin, "plugins"
  end
  if defaults[entity] then
    defaults[entity](self.bp, row)
  end
  for _, parent in ipairs(PARENTS) do
    if type(row[parent]) == "table" and row[parent].id then
      row[parent] = { id = row[parent].id }
    end
  end
  row.id = row.id or blueprint.uuid()
  if self.bp.admin then
    return self.bp:put(entity, row)
  end
  local queue = self.bp.queue
  queue[#queue + 1] = { entity = entity, row = row }
  return row
end

-- `count` rows; "%d" in text becomes 1, 2, ….
function Entity:insert_n(count, given)
  local rows = {}
  for index = 1, count do
    local row = copy_of(given)
    for name, value in pairs(row) do
      if type(value) == "string" then
        row[name] = value:gsub("%%d", tostring(index))
      end
    end
    rows[index] = self:insert(row)
  end
  return rows
end

-- Changes a row of the running gateway; the new row.
function Entity:update(row, changes)
  local res = assert(self.bp.admin():patch(path_of(self.entity, row), { body = changes }))
  assert(res.status == 200, res.read_body())
  return res.json()
end

-- Deletes a row of the running gateway.
function Entity:remove(row)
  local res = assert(self.bp.admin():delete(path_of(self.entity, row)))
  assert(res.status == 204, res.read_body())
end

function Blueprint:put(entity, row)
  local path = path_of(entity, row)
  local client = self.admin()
  local res = assert(client:put(path, { body = body_of(entity, row) }))
  local body = res.read_body()
  client:close()
  if res.status ~= 200 then
    error(("PUT %s: %d %s"):format(path, res.status, tostring(body)), 3)
  end
  return cjson.decode(body)
end

-- Hands the queued rows to a running gateway; `admin` makes Admin API clients from now on.
function Blueprint:flush(admin)
  self.admin = admin
  local queue = self.queue
  self.queue = {}
  for _, item in ipairs(queue) do
    self:put(item.entity, item.row)
  end
end

-- The queued rows as the text of a declarative file.
function Blueprint:declarative()
  local document = { _format_version = "3.0" }
  for _, item in ipairs(self.queue) do
    local row = copy_of(item.row)
    for _, parent in ipairs(PARENTS) do
      if type(row[parent]) == "table" then
        row[parent] = row[parent].id
      end
    end
    document[item.entity] = document[item.entity] or {}
    table.insert(document[item.entity], row)
  end
  return cjson.encode(document)
end

-- `upstream` {host, port}: where services go that name no host.
function blueprint.new(upstream)
  return setmetatable({ queue = {}, admin = false, upstream = upstream }, {
    __index = function(bp, name)
      return Blueprint[name] or setmetatable({ bp = bp, entity = name }, Entity)
    end,
  })
end

return blueprint
