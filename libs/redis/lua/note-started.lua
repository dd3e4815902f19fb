-- As mark-started.lua, for entries that were taken over, or are read in ordered mode: each has a note of its own: crashes so
-- far, `s`, epoch.
-- KEYS: the notes, the queue owners, then the streams, then (ordered) the parked keys of each, as of settle.lua. ARGV after
-- the leases of the streams: stream, field, what to write.
local notes, owners = unpack(KEYS)
local group, consumer, streams = unpack(ARGV, 1, 3)
local keys, args = KEYS, ARGV
go_on_when_full(notes)
for at = 4 + tonumber(streams), #args, 3 do
  local stream, field, note = unpack(args, at, at + 2)
  local lease = args[3 + stream]
  local p = parked_places(keys, 3 + streams + 4 * (stream - 1), lease)
  field = held(p, owners, lease, keys[2 + stream], group, consumer, field)
  if field then redis.call('HSET', notes, field, note) end
end
return 'NOTED'
