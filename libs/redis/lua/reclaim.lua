-- Take over deliveries of one stream whose lease has expired, and count a crash for each whose handler had started.
-- A page of the pending list at a time; the cursor must be carried on: started anew it would never get past a busy head.
-- Returns {next cursor, entries, note written on each, `r` instead of `u` where `replayer` held it}; a note ends with the
-- fence of the hand-over, which only grows.
local stream, notes = unpack(KEYS)
local group, consumer, lease, cursor, max, prefix, replayer = unpack(ARGV)
local PAGE = 64
local now = now_ms()

local rows = redis.call('XPENDING', stream, group, cursor, '+', PAGE)
local claim, owner_of, seen = { stream, group, consumer, lease }, {}, 0
for _, row in ipairs(rows) do
  if #claim - 4 >= tonumber(max) then break end
  seen = seen + 1
  if row[3] >= tonumber(lease) then
    claim[#claim + 1] = row[1]
    owner_of[row[1]] = row[2]
  end
end
local next_cursor = (seen == #rows and #rows < PAGE) and '-' or '(' .. rows[seen][1]
if #claim == 4 then return { next_cursor, {}, {} } end

-- How many crashes the entry has behind it, this one included when its last owner had started it; and its last fence.
local function crashes_of(id)
  local note = redis.call('HGET', notes, prefix .. id)
  if note then
    local before, mark = string.match(note, '^(%d+)(%a)')
    return tonumber(before) + (mark == 's' and 1 or 0), tonumber(string.match(note, '@(%d+)$'))
  end
  local mark = redis.call('HGET', notes, 'w:' .. owner_of[id] .. ':' .. prefix)
  return mark and not less(mark, id) and 1 or 0, tonumber(string.match(id, '^%d+'))
end

local entries, written = {}, {}
for _, entry in ipairs(redis.call('XCLAIM', unpack(claim))) do
  if entry and entry[2] then -- a deleted entry leaves the pending list here
    local id = entry[1]
    local count, fence = crashes_of(id)
    fence = '@' .. text(math.max(now, (fence or 0) + 1))
    redis.call('HSET', notes, prefix .. id, count .. 'u' .. fence)
    entries[#entries + 1] = entry
    written[#written + 1] = count .. (owner_of[id] == replayer and 'r' or 'u') .. fence
  end
end
return { next_cursor, entries, written }
