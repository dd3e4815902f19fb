-- For tests only: moves the virtual time of a namespace (shared/virtual-time.lua), never back. KEYS: the clock.
-- ARGV: Unix ms to move to ('' = only look). Returns how many deliveries are pending in the namespace.
local clock = unpack(KEYS)
local target = tonumber((unpack(ARGV)))
local ends, streams, MINUTE, SEVENTIES, PAGE = clock .. ':ends', clock .. ':streams', 60000, 3e11, 500
local function digits(number) return string.format('%.0f', number) end

local present = tonumber(redis.call('HGET', clock, 'now') or target)
local moves = target and target > present
local mark
-- What was delivered since the last move was delivered at the present instant.
local function mark_new(stream, group)
  local after = '-'
  repeat
    local rows, new = redis.call('XPENDING', stream, group, after, '+', PAGE), {}
    local time = redis.call('TIME')
    local real = time[1] * 1000 + math.floor(time[2] / 1000)
    for _, row in ipairs(rows) do
      if real - row[3] > SEVENTIES then
        new[row[2]] = new[row[2]] or {}
        table.insert(new[row[2]], row[1])
      end
    end
    if not mark and next(new) then
      mark = tonumber(redis.call('HGET', clock, 'marks') or 0) + 1
      redis.call('HSET', clock, 'marks', digits(mark), 'at:' .. digits(mark), digits(present))
    end
    for consumer, ids in pairs(new) do
      for _, word in ipairs({ 'TIME', digits(mark * MINUTE), 'JUSTID' }) do table.insert(ids, word) end
      redis.call('XCLAIM', stream, group, consumer, 0, unpack(ids))
    end
    after = #rows > 0 and '(' .. rows[#rows][1] or after
  until #rows < PAGE
end

local pending = 0
for _, stream in ipairs(redis.call('SMEMBERS', streams)) do
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, row in ipairs(groups.err and {} or groups) do
    local info = {}
    for at = 1, #row, 2 do info[row[at]] = row[at + 1] end
    pending = pending + info.pending
    if moves and info.pending > 0 then mark_new(stream, info.name) end
  end
end

if target and (moves or redis.call('EXISTS', clock) == 0) then redis.call('HSET', clock, 'now', digits(target)) end
if moves then
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', digits(target))) do redis.call('UNLINK', key) end
  redis.call('ZREMRANGEBYSCORE', ends, '-inf', digits(target))
end
return pending
