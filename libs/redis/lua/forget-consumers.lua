-- Remove consumers that hold nothing and were silent for long: check and removal are one step, because removing a
-- consumer also destroys what is pending for it. Its marks of started entries go too.
-- KEYS: the notes, then the streams. ARGV: group, silent ms, only this name ('' = any), field prefix of each stream.
local notes = unpack(KEYS)
local group, silent, only = unpack(ARGV, 1, 3)
local prefixes = { unpack(ARGV, 4) }
local gone = 0
for at, stream in ipairs({ unpack(KEYS, 2) }) do
  local rows = redis.pcall('XINFO', 'CONSUMERS', stream, group)
  for _, row in ipairs(rows.err and {} or rows) do
    local info = {}
    for pair = 1, #row, 2 do info[row[pair]] = row[pair + 1] end
    if info.pending == 0 and info.idle >= tonumber(silent) and (only == '' or only == info.name) then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, info.name)
      redis.call('HDEL', notes, 'w:' .. info.name .. ':' .. prefixes[at])
      gone = gone + 1
    end
  end
end
return gone
