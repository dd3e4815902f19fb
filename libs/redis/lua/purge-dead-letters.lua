-- Remove named dead letters for good, those that died until an instant. The answer survives a lost reply.
-- KEYS: slot, topic, dead letters by time, by name, untold ones. ARGV after the fixed ones (group, until: ms or ''):
-- names. Returns how many were there.
local slot, meta, dead, letters, untold = unpack(KEYS)
local number, not_after, group, till = unpack(ARGV, 1, 4)
local before = replay(slot, number, not_after)
if before then return before end
local gone = 0
for _, name in ipairs({ unpack(ARGV, 5) }) do
  local died = redis.call('ZSCORE', dead, name)
  if died and (till == '' or tonumber(died) <= tonumber(till)) then
    redis.call('ZREM', dead, name)
    redis.call('ZREM', untold, name)
    gone = gone + redis.call('HDEL', letters, name)
  end
end
if gone > 0 then redis.call('HINCRBY', meta, 'purge:' .. group, gone) end
return remember(slot, number, not_after, tostring(gone))
