-- Read one queue of an ordered group under its lease: first what a former owner left pending (from `after`), then new
-- entries. The lease is checked in the same step, so that a late owner cannot swallow anything.
-- KEYS: owners, notes, held, stream. Returns 'LOST', or {entries, `<crashes>@<fence>` of each, waits, last id when nothing
-- is left}.
local owners, notes, held, stream = unpack(KEYS)
local group, lease, max, after, prefix = unpack(ARGV)
if not lease_holds(owners, lease) then return 'LOST' end
local now = now_ms()
local reply = redis.call('XREADGROUP', 'GROUP', group, 'o', 'COUNT', max, 'STREAMS', stream, after)

-- A start that was noted under an older epoch and never settled was a crash.
-- The fence is above that of every hand-over whose start was noted.
local function note_of(field)
  local note = redis.call('HGET', notes, field)
  if not note then return '0@' .. text(now) end
  local before, mark, epoch, fence = string.match(note, '^(%d+)(%a)(%d*)@?(%d*)$')
  if epoch == string.match(lease, '%d+$') then return before .. '@' .. fence end
  fence = text(math.max(now, (tonumber(fence) or 0) + 1))
  if mark == 's' then
    before = text(before + 1)
    redis.call('HSET', notes, field, before .. 'u@' .. fence)
  end
  return before .. '@' .. fence
end

local entries, known, waits = {}, {}, {}
for _, entry in ipairs(reply and reply[1] and reply[1][2] or {}) do
  entries[#entries + 1] = entry
  known[#known + 1] = note_of(prefix .. entry[1])
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
return { entries, known, waits, last }
