-- Server time in ms: the one clock of due times, leases and record lives. A script is one instant: it is asked for once.
local instant
local function now_ms()
  if not instant then
    local time = redis.call('TIME')
    instant = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return instant
end

local function text(number) return string.format('%.0f', number) end
