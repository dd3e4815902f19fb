-- Give out half messages whose check is due: each is counted and comes again after the interval, so whoever does not answer
-- need not say so. One that was checked often enough is parked instead. KEYS: slot, checks of the producer group, states, parked.
-- ARGV after the token's: max, interval ms, most checks. Returns 'OK', or 'OK' and a JSON list of [id, checks, since, 'CHECK' |
-- 'PARKED'].
local slot, checks, states, parked = unpack(KEYS)
local number, not_after, max, interval, most = unpack(ARGV)

local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(states)
local now, rows = now_ms(), {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', checks, '-inf', text(now), 'LIMIT', 0, max)) do
  local state = half_state(states, id)
  if not state then
    redis.call('ZREM', checks, id)
  elseif state[2] >= tonumber(most) then
    redis.call('ZREM', checks, id)
    redis.call('ZADD', parked, text(now), id)
    rows[#rows + 1] = { id, state[2], state[3], 'PARKED' }
  else
    state[2] = state[2] + 1
    redis.call('HSET', states, id, cmsgpack.pack(state))
    redis.call('ZADD', checks, text(now + tonumber(interval)), id)
    rows[#rows + 1] = { id, state[2], state[3], 'CHECK' }
  end
end
return remember(slot, number, not_after, #rows == 0 and 'OK' or 'OK' .. cjson.encode(rows))
