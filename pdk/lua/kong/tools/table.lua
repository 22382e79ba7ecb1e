-- SPDX-License-Identifier: Apache-2.0
-- Table helpers that plugins require as kong.tools.table.

local tables = {}

-- A shared table that must stay empty.
tables.EMPTY = setmetatable({}, {
  __newindex = function() error("cannot write to EMPTY", 2) end,
})

-- Copies tables all the way down (keys too); a table met twice stays one. Metatables are shared,
-- or left out with `without_metatables`.
function tables.deep_copy(value, without_metatables, copies)
  if type(value) ~= "table" then
    return value
  end
  copies = copies or {}
  local copy = copies[value]
  if copy then
    return copy
  end
  copy = {}
  copies[value] = copy
  for key, member in pairs(value) do
    copy[tables.deep_copy(key, without_metatables, copies)] =
      tables.deep_copy(member, without_metatables, copies)
  end
  return without_metatables and copy or setmetatable(copy, getmetatable(value))
end

-- The top level only.
function tables.shallow_copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, member in pairs(value) do
    copy[key] = member
  end
  return copy
end

tables.cycle_aware_deep_copy = tables.deep_copy

-- Members of `first`, then those of `second` over them.
function tables.table_merge(first, second)
  local merged = tables.shallow_copy(first or {})
  for key, member in pairs(second or {}) do
    merged[key] = member
  end
  return merged
end

-- Merges records into records.
function tables.deep_merge(first, second)
  local merged = tables.deep_copy(first)
  for key, member in pairs(second) do
    if type(member) == "table" and type(merged[key]) == "table" then
      merged[key] = tables.deep_merge(merged[key], member)
    else
      merged[key] = tables.deep_copy(member)
    end
  end
  return merged
end

-- True if the array part holds `wanted`.
function tables.table_contains(array, wanted)
  for _, member in ipairs(array or {}) do
    if member == wanted then
      return true
    end
  end
  return false
end

-- True if the keys are exactly 1..n.
function tables.is_array(value)
  if type(value) ~= "table" then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
    if value[count] == nil then
      return false
    end
  end
  return true
end

-- Appends the members of `more` to `array`.
function tables.concat(array, more)
  for _, member in ipairs(more) do
    array[#array + 1] = member
  end
  return array
end

-- The value at a path of keys; nil if the path ends early.
function tables.table_path(value, path)
  for _, key in ipairs(path) do
    if type(value) ~= "table" then
      return nil
    end
    value = value[key]
  end
  return value
end

function tables.pack(...)
  return { n = select("#", ...), ... }
end

function tables.unpack(packed, from, to)
  return unpack(packed, from or 1, to or packed.n or #packed)
end

return tables
