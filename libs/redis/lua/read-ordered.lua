-- Read one queue of an ordered group under its lease: first what a former owner left pending (from `after`), then new
-- entries. The lease is checked in the same step, so that a late owner cannot swallow anything.
-- KEYS: owners, notes, held, stream. Returns 'LOST', or {entries, crashes noted on each, waits, last id when nothing is
-- left}.
local owners, notes, held, stream = unpack(KEYS)
local group, lease, max, after, prefix = unpack(ARGV)
if not lease_holds(owners, lease) then return 'LOST' end
local now = now_ms()
local reply = redis.call('XREADGROUP', 'GROUP', group, 'o', 'COUNT', max, 'STREAMS', stream, after)

-- A start that was noted under an older epoch and never settled was a crash.
local function crashes_of(field)
  local note = redis.call('HGET', notes, field)
  if not note then return 0 end
  local before, mark, epoch = string.match(note, '^(%d+)(%a)(%d*)$')
  if mark == 'u' or epoch == string.match(lease, '%d+$') then return tonumber(before) end
  redis.call('HSET', notes, field, (before + 1) .. 'u')
  return before + 1
end

local entries, crashes, waits = {}, {}, {}
for _, entry in ipairs(reply and reply[1] and reply[1][2] or {}) do
  entries[#entries + 1] = entry
  crashes[#crashes + 1] = text(crashes_of(prefix .. entry[1]))
  local kept = redis.call('HGET', held, prefix .. entry[1])
  if kept then
    local due, state = string.match(kept, '^(%d+) (.*)$')
    waits[#waits + 1] = text(math.max(tonumber(due) - now, 0)) .. ' ' .. state
  else
    waits[#waits + 1] = ''
  end
end
local last = ''
if #entries == 0 then
  local tail = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  last = tail and tail[1] or '0-0'
end
return { entries, crashes, waits, last }
