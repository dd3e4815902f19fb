-- Where a group stands in a stream. Reads only. Returns {last delivered id, newest id, oldest kept id or '', 1 when entries
-- were removed}, or 'NO_GROUP'.
local stream = unpack(KEYS)
local group = unpack(ARGV)
if redis.call('EXISTS', stream) == 0 then return 'NO_GROUP' end
local info, reply = {}, redis.call('XINFO', 'STREAM', stream)
for at = 1, #reply, 2 do info[reply[at]] = reply[at + 1] end
for _, row in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local of = {}
  for at = 1, #row, 2 do of[row[at]] = row[at + 1] end
  if of.name == group then
    local first = info['first-entry'] and info['first-entry'][1] or ''
    return { of['last-delivered-id'], info['last-generated-id'], first, info['entries-added'] > info.length and 1 or 0 }
  end
end
return 'NO_GROUP'
