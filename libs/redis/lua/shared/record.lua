-- Business records. One is kept for longer than it holds, each by its name: those that end with one instant (their messages
-- were due at midnight) must not all go in it. The server takes out keys that have run out in slices of up to 250/hz ms, and
-- does so until few are left (decision 0011). So that it is there does not say that it holds.
local SPREAD_MS, SPREAD_SHARE = 60000, 0.05

-- How much longer than it holds, in ms: a minute at most, or a twentieth of its window if that is more.
local function spread_of(name, window)
  local sum = 0
  for at = math.max(1, #name - 7), #name do sum = (sum + string.byte(name, at)) * 40503 % 65521 end
  return math.floor(math.max(SPREAD_MS, window * SPREAD_SHARE) * sum / 65521)
end

-- What it says, if it holds. Without an end it does: its message is half.
local function read_record(key, name, window)
  local known = redis.call('GET', key)
  local left = known and redis.call('PTTL', key)
  return known and (left < 0 or left > spread_of(name, window)) and known or nil
end

-- `wait`: ms until the window begins.
local function keep_record(key, name, text_of_it, window, wait)
  redis.call('SET', key, text_of_it, 'PX', text(window + wait + spread_of(name, window)))
end

local function prolong_record(key, name, window, wait)
  redis.call('PEXPIRE', key, text(window + wait + spread_of(name, window)))
end
