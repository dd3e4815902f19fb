-- Replay, a page: a group passes over what it has not finished. `leased`: pending entries up to `last`, whose holders lose
-- them; `unread`: entries up to `last`, in front of which nobody reads any more; `waiting`: retries. A dry run goes on
-- behind `cursor`. `parked`: messages of parked keys, also those that are out. Ordered: the owner of the queue loses it
-- with a leased entry.
-- KEYS: slot, topic, stream, notes, owners, waiting by due, by name, parked keys, members, messages, bell. ARGV after the fixed ones: group, kind, last id,
-- cursor, page, field prefix, queue ('' = concurrent), 'dry' or ''. Returns '<passed> <last one or ->'.
local slot, meta, stream, notes, owners, waiting, payloads, parked, members, kept, bell = unpack(KEYS)
local number, not_after, group, kind, last, cursor, page, prefix, queue, dry = unpack(ARGV)

local before = replay(slot, number, not_after)
if before then return before end

local count, seen = 0, '-'
if kind == 'leased' then
  for _, row in ipairs(redis.call('XPENDING', stream, group, cursor == '' and '-' or '(' .. cursor, last, page)) do
    count, seen = count + 1, row[1]
    if dry == '' then
      redis.call('XACK', stream, group, seen)
      redis.call('HDEL', notes, prefix .. seen)
    end
  end
  local owner = count > 0 and dry == '' and queue ~= '' and redis.call('HGET', owners, queue)
  if owner then redis.call('HSET', owners, queue, '|' .. string.match(owner, '|(%d+)|%d+$') .. '|0') end
elseif kind == 'unread' then
  local _, read, read_to = standing(stream, group)
  local from = dry ~= '' and cursor ~= '' and cursor or read_to
  for _, entry in ipairs(less(from, last) and redis.call('XRANGE', stream, '(' .. from, last, 'COUNT', page) or {}) do
    count, seen = count + 1, entry[1]
  end
  if count > 0 and dry == '' then
    redis.call('XGROUP', 'SETID', stream, group, seen, unpack(read and { 'ENTRIESREAD', read + count } or {}))
  end
else
  local p = { keys = parked, members = members, kept = kept, bell = bell }
  local from, all = tonumber(cursor) or 0, kind == 'parked' and members or waiting
  local names = redis.call('ZRANGE', all, from, from + page - 1)
  count = #names
  if count > 0 then seen = dry == '' and '0' or text(count + from) end
  for _, name in ipairs(dry == '' and names or {}) do
    if kind == 'parked' then
      drop(p, name)
      redis.call('HDEL', notes, 'p' .. queue .. ':' .. name)
      go_on(p, okey_of(name))
    else
      redis.call('ZREM', waiting, name)
      redis.call('HDEL', payloads, name)
    end
  end
end
if count > 0 and dry == '' then redis.call('HINCRBY', meta, 'pass:' .. group, count) end
return remember(slot, number, not_after, count .. ' ' .. seen)
