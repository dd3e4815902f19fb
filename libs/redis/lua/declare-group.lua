-- Register a group in a shard and give it a position in each of its streams. Idempotent: an existing group is never
-- moved. A stream is created empty where it is missing, so that nothing can be sent before the group exists unseen.
-- With how many entries lie before it, so that what it still has to read is known. The tags of who declares are
-- registered in the same step, so before its first read. Returns the stored spec, or 'NO_TOPIC'.
local meta, registered = unpack(KEYS)
local group, spec, start, queues, tags = unpack(ARGV)
if redis.call('HEXISTS', meta, 'topic') == 0 then return 'NO_TOPIC' end

local PAGE = 1000
local function entries_before(stream, from)
  if redis.call('EXISTS', stream) == 0 then return 0 end
  local info, reply = {}, redis.call('XINFO', 'STREAM', stream)
  for at = 1, #reply, 2 do info[reply[at]] = reply[at + 1] end
  if from == '0' then return info['entries-added'] - info.length end
  if from == '$' then return info['entries-added'] end
  local behind, after = 0, from
  for _ = 1, 100 do
    local page = redis.call('XRANGE', stream, '(' .. after, '+', 'COUNT', PAGE)
    behind = behind + #page
    if #page < PAGE then return info['entries-added'] - behind end
    after = page[#page][1]
  end
  return -1 -- too many to be counted: not known
end

go_on_when_full(meta)
redis.call('HSETNX', meta, 'group:' .. group, spec)
register(registered, tags, now_ms())
if tags ~= '[]' then redis.call('HSET', meta, 'seen:' .. group, text(now_ms())) end
for at, stream in ipairs({ unpack(KEYS, 3) }) do
  -- The first `queues` streams hold the topic's messages, the others the group's own retries, never to be skipped.
  local from = at <= tonumber(queues) and start or '0'
  local made = redis.pcall('XGROUP', 'CREATE', stream, group, from, 'MKSTREAM',
    'ENTRIESREAD', entries_before(stream, from))
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
end
return redis.call('HGET', meta, 'group:' .. group)
