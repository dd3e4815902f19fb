-- Make due messages ready, in due order over all buckets: out of the zset and hash first, then onto their stream, so
-- that running out of memory cannot stop it half-way. Repeating it after a lost reply just goes on.
-- KEYS: a zset and a hash for each bucket, then the streams by queue. Returns {moved, ms to the next due or ''}.
local buckets, max = tonumber(ARGV[1]), tonumber(ARGV[2])
local keys = KEYS
local first_stream = 2 * buckets + 1
local now = now_ms()

-- Each bucket gives up to `share`; beyond the last score of a bucket that gave all it may, order is not known yet.
local share = math.ceil(2 * max / buckets)
local due, cutoff = {}, now
for at = 1, 2 * buckets, 2 do
  local rows = redis.call('ZRANGEBYSCORE', keys[at], '-inf', text(now), 'WITHSCORES', 'LIMIT', 0, share)
  for row = 1, #rows, 2 do due[#due + 1] = { at, rows[row], tonumber(rows[row + 1]) } end
  if #rows == 2 * share then cutoff = math.min(cutoff, due[#due][3]) end
end
table.sort(due, function(a, b) if a[3] ~= b[3] then return a[3] < b[3] end return a[2] < b[2] end)

local moved = 0
for index = 1, math.min(#due, max) do
  local at, member, score = unpack(due[index])
  if score > cutoff then break end
  local payload = redis.call('HGET', keys[at + 1], member)
  redis.call('ZREM', keys[at], member)
  redis.call('HDEL', keys[at + 1], member)
  if payload then
    local queue, id, tag, okey, envelope, body, extra, state = unpack(cmsgpack.unpack(payload))
    if id == '' and not state then id = member end -- a scheduled message is stored under its id, and does not repeat it
    append(keys[first_stream + queue], id, tag, okey, envelope, body, state)
    moved = moved + 1
  end
end

local next_due = ''
for at = 1, 2 * buckets, 2 do
  local head = redis.call('ZRANGE', keys[at], 0, 0, 'WITHSCORES')[2]
  if head and (next_due == '' or tonumber(head) < next_due) then next_due = tonumber(head) end
end
return { moved, next_due == '' and '' or text(math.max(next_due - now, 0)) }
