-- Note that handlers start: if the lease expires before they are settled, that was a crash and not a hand-back.
-- Entries of a stream start in their order, so one mark per consumer and stream says it for all of them: `up to this
-- id`. An entry that was taken over, or read in ordered mode, has a note of its own: crashes so far, `s`, epoch.
-- KEYS: the notes, the queue owners, then the streams, then (ordered) the parked keys of each, as of settle.lua. ARGV after
-- the leases of the streams: stream (0 = a mark for the whole stream), field, what to write.
local notes, owners = unpack(KEYS)
local group, consumer, streams = unpack(ARGV, 1, 3)
local keys, args = KEYS, ARGV
go_on_when_full(notes)
for at = 4 + tonumber(streams), #args, 3 do
  local stream, field, note = unpack(args, at, at + 2)
  local write
  if stream == '0' then
    local latest = redis.call('HGET', notes, field)
    write = not latest or less(latest, note)
  else
    local lease = args[3 + stream]
    local p = parked_places(keys, 3 + streams + 4 * (stream - 1), lease)
    field = held(p, owners, lease, keys[2 + stream], group, consumer, field)
    write = field
  end
  if write then redis.call('HSET', notes, field, note) end
end
return 'MARKED'
