-- SPDX-License-Identifier: Apache-2.0
local helpers = require "spec.helpers"
local cjson = helpers.cjson

for _, strategy in helpers.each_strategy() do
describe("Admin API: lists #" .. strategy, function()
  local client
  local ids = {}

  local function get(status, path)
    return cjson.decode((assert.res_status(status, client:get(path))))
  end

  lazy_setup(function()
    helpers.get_db_utils(strategy)
    assert(helpers.start_kong())
    client = helpers.admin_client()
    local parent = assert(client:post("/services", { body = { name = "parent", host = "a.test" } }))
    assert.res_status(201, parent)
    for i = 1, 5 do
      local res = client:post("/services/parent/routes", { body = {
        name = "r" .. i, paths = { "/" .. i }, tags = i < 3 and { "a", "b" } or { "a" } } })
      ids[i] = cjson.decode((assert.res_status(201, res))).id
    end
    table.sort(ids)
    client:close()
  end)
  lazy_teardown(function()
    helpers.stop_kong()
  end)
  before_each(function()
    client = helpers.admin_client()
  end)
  after_each(function()
    client:close()
  end)

  -- Follows `next` to the end; the ids that were met and the number of pages.
  local function walk(path)
    local met, pages = {}, 0
    while path ~= cjson.null do
      local page = get(200, path)
      for _, row in ipairs(page.data) do
        met[#met + 1] = row.id
      end
      pages = pages + 1
      assert.same(page.next == cjson.null, page.offset == nil)
      path = page.next
    end
    return met, pages
  end

  it("come in one page by default, in the order of ids", function()
    local met, pages = walk("/routes")
    assert.same(ids, met)
    assert.same(1, pages)
  end)

  it("come in pages of the size that was asked for", function()
    local met, pages = walk("/routes?size=2")
    assert.same(ids, met)
    assert.same(3, pages)
  end)

  it("repeat size and tags in next, below a parent neither", function()
    assert.matches("^/routes%?offset=[%w%%]+&tags=a&size=2$", get(200, "/routes?size=2&tags=a").next)
    assert.matches("^/services/parent/routes%?offset=[%w%%]+$", get(200, "/services/parent/routes?size=2").next)
  end)

  it("are filtered by all or any of the tags", function()
    assert.same(5, #get(200, "/routes?tags=a").data)
    assert.same(2, #get(200, "/routes?tags=a,b").data)
    assert.same(5, #get(200, "/routes?tags=a/b").data)
    assert.same(2, #get(200, "/routes?tags=b/none").data)
    assert.same(0, #get(200, "/routes?tags=b,none").data)
    assert.same(2, #get(200, "/services/parent/routes?tags=b").data)
  end)

  it("refuse sizes, offsets and filters that mean nothing", function()
    for _, size in ipairs { "0", "1001", "-1", "1.5" } do
      assert.same({ code = 9, name = "invalid size", message = "size must be an integer between 1 and 1000" },
        get(400, "/routes?size=" .. size))
    end
    assert.same({ code = 9, name = "invalid size", message = "size must be a number" }, get(400, "/routes?size=x"))
    assert.same({ code = 7, name = "invalid offset", message = "'x' is not a valid offset: bad base64 encoding" },
      get(400, "/routes?offset=x"))
    assert.same({ code = 7, name = "invalid offset", message = "'YWJj' is not a valid offset: bad json encoding" },
      get(400, "/routes?offset=YWJj"))
    for filter, why in pairs { ["a,b/c"] = "invalid filter syntax", [""] = "cannot be null" } do
      assert.same({ code = 11, name = "invalid options", options = { tags = why },
        message = "invalid option (tags: " .. why .. ")" }, get(400, "/routes?tags=" .. filter))
    end
    assert.same(11, get(400, "/routes?tags=a,b,c,d,e,f").code)
  end)

  it("ignore arguments that they do not know", function()
    assert.same(5, #get(200, "/routes?sort_by=name").data)
  end)

  it("of consumers are searched by custom_id", function()
    assert.res_status(201, client:post("/consumers", { body = { custom_id = "c1" } }))
    local found = get(200, "/consumers?custom_id=c1")
    assert.same({ 1, "c1", cjson.null }, { #found.data, found.data[1].custom_id, found.next })
    assert.same({ data = {}, next = cjson.null }, get(200, "/consumers?custom_id=none"))
    assert.same({ message = "custom_id must be an unempty string" }, get(400, "/consumers?custom_id="))
  end)

  it("of tags name the entities that carry them", function()
    assert.same(7, #get(200, "/tags").data)
    local b = get(200, "/tags/b").data
    assert.same(2, #b)
    assert.same({ "b", "routes" }, { b[1].tag, b[1].entity_name })
    local first = get(200, "/tags?size=4")
    assert.same({ 4, 3 }, { #first.data, #get(200, first.next .. "&size=4").data })
    local res = client:post("/tags", { body = {} })
    assert.same({ tags = "does not support insert operations" },
      cjson.decode((assert.res_status(400, res))).fields)
  end)
end)
end
