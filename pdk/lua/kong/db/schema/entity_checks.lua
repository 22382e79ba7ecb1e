-- SPDX-License-Identifier: Apache-2.0
-- Entity checks that the schema engine does not have as data: each is made into a function over the
-- record, which returns true or nil and a message. lua_schema.c asks here for checks it does not know.

local null = ngx.null

local function is_set(value)
  return value ~= nil and value ~= null
end

local function get(record, path)
  for key in path:gmatch("[^.]+") do
    if type(record) ~= "table" then
      return nil
    end
    record = record[key]
  end
  return record
end

local function contains(list, value)
  for _, member in ipairs(list) do
    if member == value then
      return true
    end
  end
  return false
end

-- True if `value` satisfies the constraints of a field definition that conditions use.
local function satisfies(value, constraints)
  if value == nil then
    value = null
  end
  if constraints.required ~= nil and constraints.required ~= is_set(value) then
    return false
  elseif constraints.eq ~= nil and value ~= constraints.eq then
    return false
  elseif constraints.ne ~= nil and value == constraints.ne then
    return false
  elseif constraints.one_of and not contains(constraints.one_of, value) then
    return false
  elseif constraints.not_one_of and contains(constraints.not_one_of, value) then
    return false
  elseif constraints.gt and not (type(value) == "number" and value > constraints.gt) then
    return false
  elseif constraints.between and not (type(value) == "number"
    and value >= constraints.between[1] and value <= constraints.between[2]) then
    return false
  elseif constraints.match and not (type(value) == "string" and value:find(constraints.match)) then
    return false
  elseif constraints.contains and not (type(value) == "table" and contains(value, constraints.contains)) then
    return false
  end
  return true
end

local function quote(names)
  return "'" .. table.concat(names, "', '") .. "'"
end

local function any_set(record, names)
  for _, name in ipairs(names) do
    if is_set(get(record, name)) then
      return true
    end
  end
  return false
end

local makers = {}

function makers.conditional_at_least_one_of(check)
  return function(record)
    local wanted
    if satisfies(get(record, check.if_field), check.if_match) then
      wanted = check.then_at_least_one_of
    elseif check.else_match and satisfies(get(record, check.if_field), check.else_match) then
      wanted = check.else_then_at_least_one_of
    end
    if not wanted or any_set(record, wanted) then
      return true
    end
    return nil, check.then_err or "at least one of these fields must be non-empty: " .. quote(wanted)
  end
end

function makers.mutually_exclusive_sets(check)
  return function(record)
    if any_set(record, check.set1) and any_set(record, check.set2) then
      return nil, string.format("these sets are mutually exclusive: (%s), (%s)", quote(check.set1),
        quote(check.set2))
    end
    return true
  end
end

return makers
