-- Remove consumers that hold nothing and were silent for long: check and removal are one step, because removing a
-- consumer also destroys what is pending for it. KEYS: streams. ARGV: group, silent ms, only this name ('' = any).
local group, silent, only = unpack(ARGV)
local gone = 0
for _, stream in ipairs(KEYS) do
  local rows = redis.pcall('XINFO', 'CONSUMERS', stream, group)
  for _, row in ipairs(rows.err and {} or rows) do
    local info = {}
    for at = 1, #row, 2 do info[row[at]] = row[at + 1] end
    if info.pending == 0 and info.idle >= tonumber(silent) and (only == '' or only == info.name) then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, info.name)
      gone = gone + 1
    end
  end
end
return gone
