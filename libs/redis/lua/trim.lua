-- Remove the head of a stream that no declared group needs any more: below the smallest of each group's first pending
-- and last delivered entry, and outside of retention. Returns how many went, or 'NO_GROUP' when a declared group has no
-- position in the stream (then nothing is safe to remove).
local stream = unpack(KEYS)
local keep_ms, keep_count = unpack(ARGV, 1, 2)
local groups = { unpack(ARGV, 3) }

local floor = text(now_ms()) .. '-0'
local found, wanted = 0, {}
for _, group in ipairs(groups) do wanted[group] = true end
-- Without any declared group nobody has finished anything: who sends before the first consumer is there loses nothing.
if #groups == 0 or redis.call('EXISTS', stream) == 0 then return 0 end
for _, row in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local info = {}
  for at = 1, #row, 2 do info[row[at]] = row[at + 1] end
  if wanted[info['name']] then
    found = found + 1
    local pending = redis.call('XPENDING', stream, info['name'])
    local needed = pending[1] > 0 and pending[2] or info['last-delivered-id']
    if less(needed, floor) then floor = needed end
  end
end
if found < #groups then return 'NO_GROUP' end

local by_time = text(math.max(now_ms() - tonumber(keep_ms), 0)) .. '-0'
local gone = redis.call('XTRIM', stream, 'MINID', '~', less(by_time, floor) and by_time or floor, 'LIMIT', 10000)
-- More than may be kept by count: give up settled ones even inside the time, oldest first. LIMIT 0 would mean no limit.
local excess = math.min(redis.call('XLEN', stream) - tonumber(keep_count), 10000)
if excess > 0 then gone = gone + redis.call('XTRIM', stream, 'MINID', '~', floor, 'LIMIT', excess) end
return gone
