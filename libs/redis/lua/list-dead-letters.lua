-- Read dead letters without their bodies, in order of death, behind a position. Reads only. Ends after `count` letters or
-- about `bytes` of what is stored, so that it never holds up the server, however many or large they are.
-- KEYS: dead letters by time, by name. ARGV: `oldest` or `newest` first, position (ms '' = from the beginning, name),
-- died from and before (ms or ''), count, bytes.
-- Returns {'MORE' | 'END', ms and name of the last one looked at, rows of name, id, tag, ordering key, envelope, reason,
-- state, why, ms}.
local dead, letters = unpack(KEYS)
local order, at, behind, from, before, count, bytes = unpack(ARGV)

local first = from == '' and 0 or redis.call('ZCOUNT', dead, '-inf', '(' .. from)
local last = (before == '' and redis.call('ZCARD', dead) or redis.call('ZCOUNT', dead, '-inf', '(' .. before)) - 1
if at ~= '' then
  local lower, upper = ranks_of(dead, at, behind)
  if order == 'oldest' then first = math.max(first, upper) else last = math.min(last, lower - 1) end
end
if first > last then return { 'END', at, behind, {} } end

local names
if order == 'oldest' then
  names = redis.call('ZRANGE', dead, first, math.min(last, first + count - 1), 'WITHSCORES')
else
  local cards = redis.call('ZCARD', dead)
  names = redis.call('ZREVRANGE', dead, cards - 1 - last, cards - 1 - math.max(first, last - count + 1), 'WITHSCORES')
end
local rows, used, more = {}, 0, #names / 2 < last - first + 1
for index = 1, #names, 2 do
  local name = names[index]
  local size = redis.call('HSTRLEN', letters, name)
  if used > 0 and used + size > tonumber(bytes) then
    more = true
    break
  end
  used, at, behind = used + size, names[index + 1], name
  if size > 0 then
    local _, id, tag, okey, envelope, _, reason, state, why, ms = unpack(cmsgpack.unpack(redis.call('HGET', letters, name)))
    rows[#rows + 1] = { name, id, tag, okey, envelope, reason, state, why, ms }
  end
end
return { more and 'MORE' or 'END', at, behind, rows }
