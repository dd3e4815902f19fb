-- Note that handlers start: if the lease expires before they are settled, that was a crash and not a hand-back.
-- The note is the number of crashes it would then be, so writing it twice changes nothing.
-- KEYS: the notes, the queue owners, then the streams. ARGV after the leases of the streams: stream, field, note.
local notes, owners = unpack(KEYS)
local group, consumer, streams = unpack(ARGV, 1, 3)
local keys, args = KEYS, ARGV
local marked = 0
for at = 4 + tonumber(streams), #args, 3 do
  local stream, field, crashes = unpack(args, at, at + 2)
  local entry = string.match(field, ':(.*)$')
  if lease_holds(owners, args[3 + tonumber(stream)]) and owns(keys[2 + tonumber(stream)], group, consumer, entry) then
    redis.call('HSET', notes, field, crashes)
    marked = marked + 1
  end
end
return marked
