-- Remove dead letters for good: the named ones, and of those older than `keep` at most `max` per call.
-- KEYS: dead letters by time, by id. ARGV: keep ms ('' = none by age), max, names. Returns how many were there.
local dead, letters = unpack(KEYS)
local keep, max = unpack(ARGV, 1, 2)
local names = { unpack(ARGV, 3) }
if keep ~= '' then
  local old = redis.call('ZRANGEBYSCORE', dead, '-inf', text(now_ms() - tonumber(keep)), 'LIMIT', 0, max)
  for _, name in ipairs(old) do names[#names + 1] = name end
end
local gone = 0
for _, name in ipairs(names) do
  redis.call('ZREM', dead, name)
  gone = gone + redis.call('HDEL', letters, name)
end
return gone
