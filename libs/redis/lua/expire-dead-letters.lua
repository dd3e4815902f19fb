-- Remove dead letters that are older than `keep` ms, at most `max` per call. Repeating it just goes on.
-- KEYS: dead letters by time, by name, untold ones. Returns how many went.
local dead, letters, untold = unpack(KEYS)
local keep, max = unpack(ARGV)
local old = redis.call('ZRANGEBYSCORE', dead, '-inf', text(now_ms() - tonumber(keep)), 'LIMIT', 0, max)
for _, name in ipairs(old) do
  redis.call('ZREM', dead, name)
  redis.call('ZREM', untold, name)
  redis.call('HDEL', letters, name)
end
return #old
