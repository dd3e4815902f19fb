-- An operator lets a parked key go on: its first message is ready with attempt 1, its story kept. Not while it runs.
-- KEYS: slot, notes; parked keys, members, kept messages, bell. ARGV after the token's: key, field prefix.
-- Returns 'RESUMED', 'RUNNING' or 'NOT_PARKED'.
local slot, notes, keys, members, kept, bell = unpack(KEYS)
local number, not_after, okey, prefix = unpack(ARGV)
local before = replay(slot, number, not_after)
if before then return before end
local p = { keys = keys, members = members, kept = kept, bell = bell }
local score = tonumber(redis.call('ZSCORE', p.keys, okey) or '-1')
local first = first_members(p, okey, 1)[1]
if score < 0 or not first then return remember(slot, number, not_after, 'NOT_PARKED') end
if score >= TAKEN and score < EXHAUSTED then return remember(slot, number, not_after, 'RUNNING') end
local message = cmsgpack.unpack(redis.call('HGET', p.kept, first))
local readable, state = pcall(cjson.decode, message[8] == '' and '{}' or message[8]) -- '' = never tried
if readable and type(state) == 'table' then
  state.attempt, state.crashes, state.ready = 1, 0, now_ms() -- its time to live begins anew
  if #(state.failures or {}) == 0 then state.failures = nil end -- an empty Lua table would be written as an object
  message[7], message[8] = '', cjson.encode(state)
  redis.call('HSET', p.kept, first, cmsgpack.pack(message))
end
redis.call('HDEL', notes, prefix .. first)
set_state(p, okey, READY)
return remember(slot, number, not_after, 'RESUMED')
