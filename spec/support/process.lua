-- SPDX-License-Identifier: Apache-2.0
-- process: child processes of the specs, each started by fork and exec and ended by its own id.
local socket = require "socket"
local fcntl = require "posix.fcntl"
local signal = require "posix.signal"
local stdlib = require "posix.stdlib"
local unistd = require "posix.unistd"
local wait = require "posix.sys.wait"

local process = {}

-- In the child: standard streams, environment, then the program itself. Never returns.
local function become(argv, options)
  -- A shell starts background jobs with these ignored, and would hand that on for good.
  signal.signal(signal.SIGINT, signal.SIG_DFL)
  signal.signal(signal.SIGQUIT, signal.SIG_DFL)
  local stdin = fcntl.open("/dev/null", fcntl.O_RDONLY)
  unistd.dup2(stdin, 0)
  local flags = fcntl.O_WRONLY + fcntl.O_CREAT + fcntl.O_APPEND
  local out = fcntl.open(options.stdout or "/dev/null", flags, tonumber("644", 8))
  local err = options.stderr and fcntl.open(options.stderr, flags, tonumber("644", 8)) or out
  unistd.dup2(out, 1)
  unistd.dup2(err, 2)
  for name, value in pairs(options.env or {}) do
    stdlib.setenv(name, value and tostring(value) or nil)
  end
  if options.cwd then
    unistd.chdir(options.cwd)
  end
  unistd.execp(argv[1], { [0] = argv[1], unpack(argv, 2) })
  unistd._exit(127)
end

-- Starts `argv` and returns a handle. options: env (added to ours; false: unset), stdout, stderr (files,
-- appended to), cwd, is_detached (true: may outlive this process; else it gets SIGTERM when we end).
function process.spawn(argv, options)
  options = options or {}
  if not options.is_detached then
    argv = { "setpriv", "--pdeathsig", "TERM", unpack(argv) }
  end
  local pid = assert(unistd.fork())
  if pid == 0 then
    become(argv, options)
  end
  return { pid = pid, argv = argv }
end

-- Waits up to `timeout` seconds for the end. Exit status (128 + n for signal n), or nil if it runs on.
function process.wait(handle, timeout)
  if handle.status then
    return handle.status
  end
  local deadline = socket.gettime() + (timeout or 30)
  repeat
    local pid, how, status = wait.wait(handle.pid, wait.WNOHANG)
    if pid == nil then
      handle.status = 127
    elseif pid ~= 0 then
      handle.status = how == "exited" and status or 128 + status
    end
    if handle.status then
      return handle.status
    end
    socket.sleep(0.005)
  until socket.gettime() > deadline
end

function process.is_running(handle)
  return process.wait(handle, 0) == nil
end

-- Sends SIGTERM (or `number`), and SIGKILL if that has not ended it within `timeout` seconds.
function process.stop(handle, number, timeout)
  if process.is_running(handle) then
    signal.kill(handle.pid, number or signal.SIGTERM)
    if not process.wait(handle, timeout or 10) then
      signal.kill(handle.pid, signal.SIGKILL)
      return process.wait(handle, 5)
    end
  end
  return handle.status
end

-- True while a process of this id exists and is not a zombie.
function process.exists(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  local stat = file and file:read("*a")
  if file then
    file:close()
  end
  local state = stat and stat:match("%) (%a)")
  return state ~= nil and state ~= "Z"
end

function process.kill(pid, number)
  return signal.kill(tonumber(pid), number or signal.SIGTERM)
end

local function read_and_remove(path)
  local file = io.open(path)
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  os.remove(path)
  return text
end

-- Runs `argv` to its end; status, stdout, stderr. Ended by force after options.timeout (60 s).
function process.run(argv, options)
  options = options or {}
  local out, err = os.tmpname(), os.tmpname()
  -- Not tied to our death: a command may leave a daemon behind on purpose.
  local handle = process.spawn(argv, {
    env = options.env, cwd = options.cwd, stdout = out, stderr = err, is_detached = true,
  })
  local status = process.wait(handle, options.timeout or 60)
  if not status then
    process.stop(handle, signal.SIGTERM, 5)
    status = 124
  end
  return status, read_and_remove(out), read_and_remove(err)
end

process.signal = signal

return process
