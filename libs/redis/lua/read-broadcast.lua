-- Read streams on behind given ids, with what tells whether entries went unseen. Writes nothing.
-- KEYS: meta, then the streams. ARGV: group, entries per stream at most, then an id for each stream.
-- Returns 'NOT_DECLARED' when the data was flushed since `open-broadcast`, or for each stream
-- {entries, entries ever added, of these removed, id of the first one left, last id ever given}.
local meta = unpack(KEYS)
local group, share = unpack(ARGV)
local streams, after = { unpack(KEYS, 2) }, { unpack(ARGV, 3) }
if redis.call('HEXISTS', meta, 'broadcast:' .. group) == 0 then return 'NOT_DECLARED' end
local pages = {}
for at, stream in ipairs(streams) do
  local facts = stream_facts(stream)
  local entries = {}
  if less(after[at], facts.last) then
    entries = redis.call('XRANGE', stream, '(' .. after[at], '+', 'COUNT', share)
  end
  pages[at] = { entries, text(facts.added), text(facts.added - facts.length), facts.first, facts.last }
end
return pages
