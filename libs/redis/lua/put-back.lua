-- Replay, a page: makes read entries of a queue pending for `taker`, long since, so that the group takes them over. Leased
-- ones are taken from their holders and count no crash; what waits for its next attempt is left to it. Ordered: the
-- owner of the queue loses it, and whoever takes it reads all of it again.
-- KEYS: slot, topic, stream, notes, owners, waiting retries, parked messages. ARGV after the fixed ones: group, taker, first and last id,
-- page, field prefix, queue ('' = concurrent), 'dry' or ''. Returns '<put back> <interrupted> <last id seen or ->'.
local slot, meta, stream, notes, owners, waiting, kept = unpack(KEYS)
local number, not_after, group, taker, first, last, page, prefix, queue, dry = unpack(ARGV)
local LONG_SINCE = 365 * 86400000

local before = replay(slot, number, not_after)
if before then return before end

local claim, back, interrupted, seen = { stream, group, taker, 0 }, 0, 0, '-'
for _, entry in ipairs(redis.call('XRANGE', stream, first, last, 'COUNT', page)) do
  local id, fields = entry[1], entry[2]
  seen = id
  local row = redis.call('XPENDING', stream, group, id, id, 1)[1]
  local was_put_back = row and queue == '' and row[2] == taker
  local message, _, okey = read_header(fields)
  local comes_again = message and not row and redis.call('HEXISTS', waiting, message) == 1
  if not row and okey and okey ~= '' then
    comes_again = comes_again or redis.call('HEXISTS', kept, member_of(okey, id, 'q')) == 1
  end
  if not was_put_back and not comes_again then
    if row then interrupted = interrupted + 1 else back = back + 1 end
    claim[#claim + 1] = id
    local note = row and dry == '' and redis.call('HGET', notes, prefix .. id)
    if note then redis.call('HSET', notes, prefix .. id, (string.gsub(note, '^(%d+)s', '%1u'))) end
  end
end
if dry == '' and #claim > 4 then
  for _, option in ipairs({ 'IDLE', LONG_SINCE, 'FORCE', 'JUSTID' }) do claim[#claim + 1] = option end
  redis.call('XCLAIM', unpack(claim))
  if back > 0 then redis.call('HINCRBY', meta, 'replay:' .. group, back) end
  local owner = queue ~= '' and redis.call('HGET', owners, queue)
  if owner then redis.call('HSET', owners, queue, '|' .. string.match(owner, '|(%d+)|%d+$') .. '|0') end
end
return remember(slot, number, not_after, back .. ' ' .. interrupted .. ' ' .. seen)
