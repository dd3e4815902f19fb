-- An operator lets the producer group be asked about a parked half message once more, with a new count of checks.
-- KEYS: slot, states, parked. ARGV after the token's: what the checks of a producer group begin with, id. Returns 'RESUMED' or
-- 'NOT_PARKED'.
local slot, states, parked = unpack(KEYS)
local number, not_after, waiting, id = unpack(ARGV)
local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(states)
local state = half_state(states, id)
if not state or redis.call('ZREM', parked, id) == 0 then return remember(slot, number, not_after, 'NOT_PARKED') end
state[2] = 0
redis.call('HSET', states, id, cmsgpack.pack(state))
redis.call('ZADD', waiting .. state[1], text(now_ms()), id)
return remember(slot, number, not_after, 'RESUMED')
