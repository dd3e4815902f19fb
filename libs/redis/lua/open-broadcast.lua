-- Say that a group reads the topic by broadcast, and find where to begin in each stream of the shard. Idempotent.
-- KEYS: meta, kept places of the instance, then the streams. ARGV: group, 'first', 'last' or an instant in ms.
-- Returns 'NO_TOPIC', the kept places as they were stored, or for each stream {id, entries up to there or ''}.
local meta, kept = unpack(KEYS, 1, 2)
local group, start = unpack(ARGV)
local streams = { unpack(KEYS, 3) }
if redis.call('HEXISTS', meta, 'topic') == 0 then return 'NO_TOPIC' end
redis.call('HSETNX', meta, 'broadcast:' .. group, '{}')
local before = redis.call('GET', kept)
if before then return before end

local function place(stream)
  local facts = stream_facts(stream)
  if start == 'first' then return { '0-0', text(facts.added - facts.length) } end
  -- Everything up to this id is before the instant; ids begin with the server's time.
  local id = start == 'last' and facts.last or text(math.max(tonumber(start) - 1, 0)) .. '-18446744073709551615'
  -- The end of the stream, also for an instant that nothing was added after.
  if not less(id, facts.last) then return { facts.last, text(facts.added) } end
  if less(id, facts.first) then return { id, text(facts.added - facts.length) } end
  return { id, '' }
end

local places = {}
for at, stream in ipairs(streams) do places[at] = place(stream) end
return places
