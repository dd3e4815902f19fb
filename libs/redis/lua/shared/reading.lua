-- What becomes of an entry that was read in ordered mode. `lane` is one queue under its lease; `source` is one of its two
-- streams: `key`, field `prefix`, `after` (the id asked for), `seen` (the caller has had all up to it).
local now = now_ms()
local fresh = '0@' .. text(now)

-- Nil when the lease is another's.
local function lane_of(owners, lease, again, p)
  if not lease_holds(owners, lease) then return nil end
  local has_parked = redis.call('EXISTS', p.keys) == 1
  local reply = { {}, {}, {}, {}, '' }
  local epoch = string.match(lease, '%d+$')
  return { p = p, lease = lease, epoch = epoch, again = again, has_parked = has_parked, parked = {}, reply = reply }
end

local function last_of(key)
  local tail = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  return tail and tail[1] or '0-0'
end

-- A start that was noted under an older epoch and never settled was a crash. The fence is above that of every hand-over
-- whose start was noted.
local function note_of(notes, epoch, field)
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

-- What is new was never handed out: nothing can be noted on it.
local function entry_note(notes, lane, source, entry)
  return source.after == '>' and fresh or note_of(notes, lane.epoch, source.prefix .. entry)
end

-- The ordering key of an entry if it is parked. What is asked of one key is not asked again in the same call.
local function parked_key(lane, source, entry, fields)
  if not fields or (source.after ~= '>' and not less(source.seen, entry)) then return nil end
  local okey = ordering_key(fields)
  if okey == '' then return nil end
  if lane.parked[okey] == nil then lane.parked[okey] = redis.call('ZSCORE', lane.p.keys, okey) ~= false end
  return lane.parked[okey] and okey
end

local JOIN_AT_ONCE = 100

-- Those of one stream that join the parked messages of their keys, at their places: { entry, fields, okey } each.
local function join_parked(notes, group, lane, source, joining)
  local mark, queue = string.sub(source.prefix, 1, 1), string.sub(source.prefix, 2, -2)
  for from = 1, #joining, JOIN_AT_ONCE do
    local members, entries = {}, {}
    for at = from, math.min(#joining, from + JOIN_AT_ONCE - 1) do
      local entry, fields, okey = unpack(joining[at])
      local id, tag, _, envelope = read_header(fields)
      local member = member_of(okey, entry, mark)
      keep_copy(lane.p, member, { queue, id, tag, okey, envelope, fields[2], '', fields[4] or '', '' }, now)
      local note = entry_note(notes, lane, source, entry)
      if note ~= fresh then
        redis.call('HSET', notes, 'p' .. queue .. ':' .. member, (string.gsub(note, '@', 'u@')))
        redis.call('HDEL', notes, source.prefix .. entry)
      end
      members[#members + 1], members[#members + 2] = 0, member
      entries[#entries + 1] = entry
    end
    redis.call('ZADD', lane.p.members, unpack(members))
    redis.call('XACK', source.key, group, unpack(entries))
  end
end
