-- Note that a group is replayed: what a message of it has done before does not keep it from being done again.
-- KEYS: meta. ARGV: group. Returns 'NOTED'.
local meta, group = KEYS[1], ARGV[1]
redis.call('HSET', meta, 'replayed:' .. group, text(now_ms()))
return 'NOTED'
