-- Remove dead letters that are older than `keep` ms, and the oldest beyond `keep_count`, each at most `max` per call.
-- Counts them. Repeating it just goes on. KEYS: the topic, dead letters by time, by name, untold ones. Returns how many went.
local meta, dead, letters, untold = unpack(KEYS)
local group, keep, keep_count, max = unpack(ARGV)
local gone = 0
local function remove(names)
  for _, name in ipairs(names) do
    redis.call('ZREM', dead, name)
    redis.call('ZREM', untold, name)
    gone = gone + redis.call('HDEL', letters, name)
  end
end
remove(redis.call('ZRANGEBYSCORE', dead, '-inf', text(now_ms() - tonumber(keep)), 'LIMIT', 0, max))
local excess = math.min(redis.call('ZCARD', dead) - tonumber(keep_count), tonumber(max))
if excess > 0 then remove(redis.call('ZRANGE', dead, 0, excess - 1)) end
if gone > 0 then redis.call('HINCRBY', meta, 'purge:' .. group, gone) end
return gone
