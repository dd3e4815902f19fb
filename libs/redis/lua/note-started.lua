-- As mark-started.lua, for entries that were taken over, or are read in ordered mode: each has a note of its own: crashes so
-- far, `s`, epoch.
-- KEYS: the notes, the queue owners, then the streams, then (ordered) the parked keys of each, as of settle.lua. ARGV after
-- the number of streams, of each: its lease, its field prefix, the number of its entries, these in their order, their notes.
local notes, owners = unpack(KEYS)
local group, consumer, streams = unpack(ARGV, 1, 3)
local keys, args, at = KEYS, ARGV, 4
go_on_when_full(notes)
for stream = 1, streams do
  local lease, prefix, count = unpack(args, at, at + 2)
  local from, p = at + 3, parked_places(keys, 3 + streams + 4 * (stream - 1), lease)
  at = from + 2 * count
  local is_parked = string.sub(prefix, 1, 1) == 'p'
  local holds = lease_holds(owners, lease)
  local found = holds and not is_parked and owned(keys[2 + stream], group, consumer, { unpack(args, from, from + count - 1) })
  local told = {}
  for number = 0, holds and count - 1 or -1 do
    local entry, note, field = args[from + number], args[from + count + number], nil
    if is_parked then
      field = held(p, owners, lease, nil, group, consumer, prefix .. entry)
    elseif found[entry] then
      field = prefix .. entry
    end
    if field then told[#told + 1], told[#told + 2] = field, note end
  end
  if #told > 0 then redis.call('HSET', notes, unpack(told)) end
end
return 'NOTED'
