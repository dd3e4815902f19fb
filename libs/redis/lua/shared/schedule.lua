-- Records of recurring messages (docs/schedules.md): hash, name → JSON of revision, rule (JSON, for the clients), okey, from,
-- tick? {at, sent}, lastAt?, pause?, drops? (list of {revision, at, okey, open, since}), removed?.
local function schedule_of(schedules, name)
  local stored = redis.call('HGET', schedules, name)
  return stored and cjson.decode(stored)
end

local function keep_schedule(schedules, name, state)
  if state.drops and #state.drops == 0 then state.drops = nil end -- an empty list would become an object
  redis.call('HSET', schedules, name, cjson.encode(state))
end

-- Where the ticks that are still to be planned begin.
local function planned_to(state) return state.tick and state.tick.at or state.from end

-- The tick that waits is not to be delivered any more; whoever has ordered that cancels its message.
local function drop_tick(state, now)
  local tick = state.tick
  if not tick then return end
  if tick.at > now then
    state.drops = state.drops or {}
    local drop = { revision = state.revision, at = tick.at, okey = state.okey, open = true, since = now }
    state.drops[#state.drops + 1] = drop
  else
    state.lastAt = tick.at
  end
  state.tick = nil
end
