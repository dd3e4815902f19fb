-- Take over deliveries of a group's streams whose lease has expired, and count a crash for each whose handler had started.
-- A page of each pending list at a time; the cursors must be carried on: started anew one would never get past a busy head.
-- KEYS: the notes, then the streams; ARGV: five for all, then cursor and prefix of each stream. Returns for each stream
-- {next cursor, entries, note written on each, `r` instead of `u` where `replayer` held it}; a note ends with the fence of
-- the hand-over, which only grows.
local notes = KEYS[1]
local streams, places = { unpack(KEYS, 2) }, { unpack(ARGV, 6) }
local group, consumer, lease, max, replayer = unpack(ARGV, 1, 5)
local PAGE = 64
local now = now_ms()
local left = tonumber(max)

-- How many crashes the entry has behind it, this one included when its last owner had started it; and its last fence.
local function crashes_of(id, prefix, owner)
  local note = redis.call('HGET', notes, prefix .. id)
  if note then
    local before, mark = string.match(note, '^(%d+)(%a)')
    return tonumber(before) + (mark == 's' and 1 or 0), tonumber(string.match(note, '@(%d+)$'))
  end
  local mark = redis.call('HGET', notes, 'w:' .. owner .. ':' .. prefix)
  return mark and not less(mark, id) and 1 or 0, tonumber(string.match(id, '^%d+'))
end

local function take_over(stream, cursor, prefix)
  if left == 0 then return { cursor, {}, {} } end
  local rows = redis.call('XPENDING', stream, group, cursor, '+', PAGE)
  local claim, owner_of, seen = { stream, group, consumer, lease }, {}, 0
  for _, row in ipairs(rows) do
    if #claim - 4 >= left then break end
    seen = seen + 1
    if row[3] >= tonumber(lease) then
      claim[#claim + 1] = row[1]
      owner_of[row[1]] = row[2]
    end
  end
  local next_cursor = (seen == #rows and #rows < PAGE) and '-' or '(' .. rows[seen][1]
  if #claim == 4 then return { next_cursor, {}, {} } end

  local entries, written = {}, {}
  for _, entry in ipairs(redis.call('XCLAIM', unpack(claim))) do
    if entry and entry[2] then -- a deleted entry leaves the pending list here
      local id = entry[1]
      local count, fence = crashes_of(id, prefix, owner_of[id])
      fence = '@' .. text(math.max(now, (fence or 0) + 1))
      redis.call('HSET', notes, prefix .. id, count .. 'u' .. fence)
      entries[#entries + 1] = entry
      written[#written + 1] = count .. (owner_of[id] == replayer and 'r' or 'u') .. fence
    end
  end
  left = left - #entries
  return { next_cursor, entries, written }
end

local found = {}
for at, stream in ipairs(streams) do found[at] = take_over(stream, places[2 * at - 1], places[2 * at]) end
return found
