-- Take over deliveries of one stream whose lease has expired. The cursor must be carried on: started anew it would
-- never get past a busy head. Entries that were deleted leave the pending list. Returns {next cursor, entries, notes}.
local stream, notes = unpack(KEYS)
local group, consumer, lease, cursor, max, prefix = unpack(ARGV)
local reply = redis.call('XAUTOCLAIM', stream, group, consumer, lease, cursor, 'COUNT', max)
local entries, crashes = {}, {}
for _, entry in ipairs(reply[2]) do
  if entry and entry[2] then
    entries[#entries + 1] = entry
    crashes[#crashes + 1] = redis.call('HGET', notes, prefix .. entry[1]) or ''
  end
end
return { reply[1], entries, crashes }
