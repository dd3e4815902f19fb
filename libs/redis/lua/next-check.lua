-- Ms until the next check of a producer group's half messages, 0 when one is due, '' when none waits. Reads only.
-- KEYS: checks of the producer group.
local checks = unpack(KEYS)
local head = redis.call('ZRANGE', checks, 0, 0, 'WITHSCORES')[2]
return head and text(math.max(tonumber(head) - now_ms(), 0)) or ''
