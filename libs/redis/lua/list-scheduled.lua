-- Read messages that wait in one bucket, without their bodies, in order of due time, behind a position. Reads only. Ends
-- after `count` of them or about `bytes` of what is stored, so that it never holds up the server.
-- KEYS: zset and hash of the bucket. ARGV: position (ms '' = from the beginning, id), due from and before (ms or ''), count, bytes.
-- Returns {'MORE' | 'END', ms and id of the last one looked at, rows of id, tag, ordering key, envelope, ms}.
local due, payloads = unpack(KEYS)
local at, behind, from, before, count, bytes = unpack(ARGV)

local first = from == '' and 0 or redis.call('ZCOUNT', due, '-inf', '(' .. from)
local last = (before == '' and redis.call('ZCARD', due) or redis.call('ZCOUNT', due, '-inf', '(' .. before)) - 1
if at ~= '' then
  local _, upper = ranks_of(due, at, behind)
  first = math.max(first, upper)
end
if first > last then return { 'END', at, behind, {} } end

local ids = redis.call('ZRANGE', due, first, math.min(last, first + count - 1), 'WITHSCORES')
local rows, used, more = {}, 0, #ids / 2 < last - first + 1
for index = 1, #ids, 2 do
  local id = ids[index]
  local size = redis.call('HSTRLEN', payloads, id)
  if used > 0 and used + size > tonumber(bytes) then
    more = true
    break
  end
  used, at, behind = used + size, ids[index + 1], id
  if size > 0 then
    local _, _, tag, okey, envelope = unpack(cmsgpack.unpack(redis.call('HGET', payloads, id)))
    rows[#rows + 1] = { id, tag, okey, envelope, at }
  end
end
return { more and 'MORE' or 'END', at, behind, rows }
