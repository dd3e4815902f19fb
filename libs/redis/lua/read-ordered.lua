-- Read one stream of a queue of an ordered group under its lease: what was left pending (from `after`), or new entries
-- and, with `take`, pages of parked keys. The lease is checked in the same step: a late owner cannot swallow anything.
-- An entry behind `seen` (the caller has not had it yet) whose key is parked joins the parked ones instead.
-- KEYS: owners, notes, stream; parked keys, members, kept messages, bell. ARGV: group, lease, max, after, field
-- prefix, seen, take (keys), 'again' when a reply may have been lost: then pages that are out come once more.
-- Returns 'LOST', or {entries, `<crashes>@<fence>` of each, entries read, last id, entries of pages, the same of those,
-- last id of the bell}.
local owners, notes, stream, parked, members, kept, bell = unpack(KEYS)
local group, lease, max, after, prefix, seen, take, again = unpack(ARGV)
if not lease_holds(owners, lease) then return 'LOST' end
local p = { keys = parked, members = members, kept = kept, bell = bell }
local now, epoch = now_ms(), string.match(lease, '%d+$')
local fresh = '0@' .. text(now)
local reply = redis.call('XREADGROUP', 'GROUP', group, 'o', 'COUNT', max, 'STREAMS', stream, after)
local read = reply and reply[1] and reply[1][2] or {}
local any_parked = redis.call('EXISTS', p.keys) == 1

-- A start that was noted under an older epoch and never settled was a crash. The fence is above that of every hand-over
-- whose start was noted.
local function note_of(field)
  local note = redis.call('HGET', notes, field)
  if not note then return fresh end
  local before, mark, noted, fence = string.match(note, '^(%d+)(%a)(%d*)@?(%d*)$')
  if noted == epoch then return before .. '@' .. fence end
  fence = text(math.max(now, (tonumber(fence) or 0) + 1))
  if mark == 's' then
    before = text(before + 1)
    redis.call('HSET', notes, field, before .. 'u@' .. fence)
  end
  return before .. '@' .. fence
end

local function is_parked(entry)
  if not any_parked or not entry[2] or not less(seen, entry[1]) then return false end
  local okey = select(3, read_header(entry[2])) or ''
  return okey ~= '' and redis.call('ZSCORE', p.keys, okey)
end

local function move(entry, fields)
  local id, tag, okey, envelope = read_header(fields)
  local note = after == '>' and fresh or note_of(prefix .. entry)
  local member = member_of(okey, entry, string.sub(prefix, 1, 1))
  local queue, state = string.match(lease, '^%d+'), fields[4] or ''
  keep(p, okey, member, { queue, id, tag, okey, envelope, fields[2], '', state, '' }, now)
  if note ~= fresh then
    redis.call('HSET', notes, 'p' .. string.sub(prefix, 2) .. member, (string.gsub(note, '@', 'u@')))
    redis.call('HDEL', notes, prefix .. entry)
  end
  redis.call('XACK', stream, group, entry)
end

local entries, known = {}, {}
for _, entry in ipairs(read) do
  if is_parked(entry) then
    move(entry[1], entry[2])
  else
    entries[#entries + 1] = entry
    known[#known + 1] = after == '>' and fresh or note_of(prefix .. entry[1])
  end
end
local function last_of(key)
  local tail = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  return tail and tail[1] or '0-0'
end
local paged, on_paged = {}, {}
if any_parked and take ~= '0' then
  for _, member in ipairs(pages(p, tonumber(epoch), take, again, paged)) do
    on_paged[#on_paged + 1] = note_of('p' .. string.sub(prefix, 2) .. member)
  end
end
return { entries, known, #read, #read > 0 and read[#read][1] or last_of(stream), paged, on_paged, last_of(p.bell) }
