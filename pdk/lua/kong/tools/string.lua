-- SPDX-License-Identifier: Apache-2.0
-- Text helpers that plugins require as kong.tools.string.

local strings = {}

-- Without white space at both ends; "" for nil.
function strings.strip(text)
  if text == nil then
    return ""
  end
  return (tostring(text):gsub("^%s+", ""):gsub("%s+$", ""))
end

-- The parts between occurrences of `separator` (plain text), at most `max`.
function strings.split(text, separator, max)
  local parts, from = {}, 1
  while separator ~= "" and not (max and #parts + 1 >= max) do
    local at, to = text:find(separator, from, true)
    if not at then
      break
    end
    parts[#parts + 1] = text:sub(from, at - 1)
    from = to + 1
  end
  parts[#parts + 1] = text:sub(from)
  return parts
end

function strings.splitn(text, separator, max)
  local parts = strings.split(text, separator, max)
  return parts, #parts
end

-- Iterates over the parts between occurrences of `separator`.
function strings.isplitn(text, separator, max)
  local parts, index = strings.split(text, separator, max), 0
  return function()
    index = index + 1
    return parts[index]
  end
end

function strings.isempty(text)
  return text == nil or text == ""
end

function strings.startswith(text, prefix)
  return text:sub(1, #prefix) == prefix
end

function strings.endswith(text, suffix)
  return suffix == "" or text:sub(-#suffix) == suffix
end

-- "%d bytes" and larger units, as Kong's status shows them.
function strings.bytes_to_str(bytes, unit, scale)
  unit = (unit or "b"):lower()
  if unit == "b" then
    return bytes
  end
  local factor = ({ k = 1024, m = 1024 ^ 2, g = 1024 ^ 3 })[unit]
  if not factor then
    error("invalid unit '" .. unit .. "' (expected 'k/K', 'm/M', or 'g/G')", 2)
  end
  return string.format("%." .. (scale or 2) .. "f %siB", bytes / factor, unit:upper())
end


-- True if it is well-formed UTF-8; else false and the position of the first byte that is not.
function strings.validate_utf8(value)
  local text, at = tostring(value), 1
  local forms = { "^[%z\1-\127]+", "^[\194-\223][\128-\191]", "^\224[\160-\191][\128-\191]",
    "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]",
    "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
    "^\244[\128-\143][\128-\191][\128-\191]" }
  while at <= #text do
    local to
    for _, form in ipairs(forms) do
      to = select(2, text:find(form, at))
      if to then
        break
      end
    end
    if not to then
      return false, at
    end
    at = to + 1
  end
  return true
end

return strings
