-- Register a group in a shard and give it a position in each of its streams. Idempotent: an existing group is never
-- moved. A stream is created empty where it is missing, so that nothing can be sent before the group exists unseen.
-- Returns the stored spec, or 'NO_TOPIC'.
local meta = unpack(KEYS)
local group, spec, start, queues = unpack(ARGV)
if redis.call('HEXISTS', meta, 'topic') == 0 then return 'NO_TOPIC' end
redis.call('HSETNX', meta, 'group:' .. group, spec)
for at, stream in ipairs({ unpack(KEYS, 2) }) do
  -- The first `queues` streams hold the topic's messages, the others the group's own retries, never to be skipped.
  local from = at <= tonumber(queues) and start or '0'
  local made = redis.pcall('XGROUP', 'CREATE', stream, group, from, 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
end
return redis.call('HGET', meta, 'group:' .. group)
