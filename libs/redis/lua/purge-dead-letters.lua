-- Remove named dead letters for good, those that died until an instant. The answer survives a lost reply.
-- KEYS: slot, dead letters by time, by name, untold ones. ARGV after the fixed ones (until: ms or ''): names. Returns how
-- many were there.
local slot, dead, letters, untold = unpack(KEYS)
local number, ttl, till = unpack(ARGV, 1, 3)
local before = replay(slot, number, ttl)
if before then return before end
local gone = 0
for _, name in ipairs({ unpack(ARGV, 4) }) do
  local died = redis.call('ZSCORE', dead, name)
  if died and (till == '' or tonumber(died) <= tonumber(till)) then
    redis.call('ZREM', dead, name)
    redis.call('ZREM', untold, name)
    gone = gone + redis.call('HDEL', letters, name)
  end
end
return remember(slot, number, ttl, tostring(gone))
