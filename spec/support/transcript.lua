-- SPDX-License-Identifier: Apache-2.0
-- transcript: runs the ```console blocks of a Markdown file as one shell session.
--
-- A line "$ command" is typed; the lines up to the next one are what it must print, where "…" stands
-- for any text. Carriage returns and blank lines at the ends do not count.
local process = require "spec.support.process"

local transcript = {}

local MARK = "@@transcript-step-"

-- The steps of a file, in order: {command, expected, line}.
function transcript.read(path)
  local steps = {}
  local is_inside, step, number = false, nil, 0
  for line in io.lines(path) do
    number = number + 1
    if line:match("^```") then
      is_inside = line == "```console"
      step = nil
    elseif is_inside then
      local command = line:match("^%$ (.+)$")
      if command then
        step = { command = command, expected = {}, line = number }
        steps[#steps + 1] = step
      elseif step then
        table.insert(step.expected, line)
      end
    end
  end
  for _, one in ipairs(steps) do
    one.expected = table.concat(one.expected, "\n")
  end
  return steps
end

local function trim(text)
  return (text:gsub("\r", ""):gsub("^%s+", ""):gsub("%s+$", ""))
end

-- True if `output` is what a step expects.
function transcript.matches(expected, output)
  local pattern = trim(expected):gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("…", ".-")
  return trim(output):match("^" .. pattern .. "$") ~= nil
end

-- Types every step into one bash; each step gets `output`. `replace`: list of {from, to}, plain text,
-- applied to commands and expectations (ports, paths of this run).
function transcript.run(steps, replace, timeout)
  local script = {}
  local function substitute(text)
    for _, pair in ipairs(replace) do
      local from = pair[1]:gsub("%p", "%%%0")
      text = text:gsub(from, (pair[2]:gsub("%%", "%%%%")))
    end
    return text
  end
  for index, step in ipairs(steps) do
    step.expected = substitute(step.expected)
    script[#script + 1] = ("echo; echo '%s%d'"):format(MARK, index)
    script[#script + 1] = substitute(step.command)
  end
  local status, out, err = process.run({ "bash", "-c", table.concat(script, "\n") }, { timeout = timeout or 60 })
  assert(status ~= 124, "the transcript did not end in time: " .. err)
  for index, step in ipairs(steps) do
    local from = select(2, out:find(MARK .. index .. "\n", 1, true))
    local to = out:find("\n" .. MARK .. (index + 1) .. "\n", 1, true)
    step.output = out:sub(from + 1, to and to - 1 or -1)
  end
  return steps
end

return transcript
