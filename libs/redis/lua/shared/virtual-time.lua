-- For tests only: the time of a namespace stands still until move.lua moves it. Put before every script of a connection
-- that virtual/connect-virtually.ts has made; it takes `redis.call` over, so that the scripts are those of production.
-- What the server would measure by its own clock is kept beside: lives of keys in a zset, delivery times of pending
-- entries as marks. A mark is a delivery time in the seventies: its number of minutes names an instant that is noted in
-- the clock. An entry with a real delivery time was delivered at the present instant, because every move marks all of them.
local CLOCK, START = table.remove(KEYS), table.remove(ARGV)
local server = redis
local ENDS, STREAMS, MINUTE, SEVENTIES = CLOCK .. ':ends', CLOCK .. ':streams', 60000, 3e11

-- Of a clock that nobody has set, or that was flushed: what the test's clock says.
local present = server.call('HGET', CLOCK, 'now')
if not present then server.call('HSET', CLOCK, 'now', START) end
present = tonumber(present or START)

local function digits(number) return string.format('%.0f', number) end

local function mark_of(instant)
  local last = tonumber(server.call('HGET', CLOCK, 'marks') or 0)
  if server.call('HGET', CLOCK, 'at:' .. digits(last)) == digits(instant) then return last * MINUTE end
  server.call('HSET', CLOCK, 'marks', digits(last + 1), 'at:' .. digits(last + 1), digits(instant))
  return (last + 1) * MINUTE
end

local function idle_of(real_idle)
  local time = server.call('TIME')
  local delivered = time[1] * 1000 + math.floor(time[2] / 1000) - real_idle
  if delivered > SEVENTIES then return 0 end
  local mark = math.floor(delivered / MINUTE + 0.5)
  return math.max(0, present - tonumber(server.call('HGET', CLOCK, 'at:' .. digits(mark)) or present))
end

local function live_until(key, instant)
  if server.call('EXISTS', key) == 0 then return 0 end
  if instant <= present then
    server.call('UNLINK', key)
    server.call('ZREM', ENDS, key)
  else
    server.call('ZADD', ENDS, digits(instant), key)
  end
  return 1
end

local own = {}
-- Commands that measure time in a way that nothing here needed so far. An error, so that none is let through unseen.
for _, name in ipairs({ 'EXPIRE', 'EXPIREAT', 'SETEX', 'PSETEX', 'GETEX', 'TTL', 'EXPIRETIME',
  'RENAME', 'RENAMENX', 'COPY', 'RESTORE', 'XAUTOCLAIM', 'HPEXPIRE', 'HEXPIRE', 'HPEXPIREAT', 'HEXPIREAT' }) do
  own[name] = function() error('virtual time does not know the command ' .. name .. ' yet: see virtual-time.lua') end
end

function own.TIME()
  local seconds = math.floor(present / 1000)
  return { digits(seconds), digits((present - seconds * 1000) * 1000) }
end

function own.XADD(run, stream, ...)
  local args, at = { ... }, 1
  while args[at] ~= '*' do at = at + 1 end
  args[at] = digits(present) .. '-*'
  local added = server.pcall('XADD', stream, unpack(args))
  if type(added) ~= 'table' or not string.find(added.err, 'equal or smaller', 1, true) then
    return type(added) == 'table' and run('XADD', stream, unpack(args)) or added
  end
  -- Written by somebody whose clock was ahead: as the server does when its own clock goes back.
  local row, last = server.call('XINFO', 'STREAM', stream), nil
  for field = 1, #row, 2 do last = row[field] == 'last-generated-id' and row[field + 1] or last end
  args[at] = string.match(last, '^%d+') .. '-*'
  return run('XADD', stream, unpack(args))
end

function own.XGROUP(run, what, stream, ...)
  if what == 'CREATE' then server.call('SADD', STREAMS, stream) end
  return run('XGROUP', what, stream, ...)
end

function own.XCLAIM(run, stream, group, consumer, ...)
  local args = { ... }
  for at = 2, #args do
    if args[at] == 'IDLE' then args[at], args[at + 1] = 'TIME', digits(mark_of(present - tonumber(args[at + 1]))) end
  end
  return run('XCLAIM', stream, group, consumer, unpack(args))
end

function own.XPENDING(run, ...)
  local rows = run('XPENDING', ...)
  if select('#', ...) > 2 and not rows.err then
    for _, row in ipairs(rows) do row[3] = idle_of(row[3]) end
  end
  return rows
end

function own.SET(run, key, value, ...)
  local options, kept, till, keeps, at = { ... }, {}, nil, false, 1
  while options[at] do
    if options[at] == 'PX' or options[at] == 'PXAT' then
      till = tonumber(options[at + 1]) + (options[at] == 'PX' and present or 0)
      at = at + 2
    else
      if options[at] == 'EX' or options[at] == 'EXAT' then own.EXPIRE() end
      keeps = keeps or options[at] == 'KEEPTTL'
      kept[#kept + 1] = options[at]
      at = at + 1
    end
  end
  local reply = run('SET', key, value, unpack(kept))
  if till and reply then live_until(key, till) elseif reply and not keeps then server.call('ZREM', ENDS, key) end
  return reply
end

function own.PEXPIRE(_, key, ms) return live_until(key, present + tonumber(ms)) end
function own.PEXPIREAT(_, key, instant) return live_until(key, tonumber(instant)) end

function own.PTTL(run, key)
  local till = server.call('EXISTS', key) == 1 and server.call('ZSCORE', ENDS, key)
  return till and till - present or run('PTTL', key)
end

function own.PEXPIRETIME(run, key)
  local till = server.call('EXISTS', key) == 1 and server.call('ZSCORE', ENDS, key)
  return till and tonumber(till) or run('PEXPIRETIME', key)
end

function own.PERSIST(_, key) return server.call('EXISTS', key) == 1 and server.call('ZREM', ENDS, key) or 0 end

-- A hash that loses its last field is gone, and its end with it: one that is made anew has none.
function own.HDEL(run, key, ...)
  local removed = run('HDEL', key, ...)
  if removed ~= 0 and server.call('EXISTS', key) == 0 then server.call('ZREM', ENDS, key) end
  return removed
end

function own.DEL(run, ...)
  server.call('ZREM', ENDS, ...)
  return run('DEL', ...)
end

function own.UNLINK(run, ...)
  server.call('ZREM', ENDS, ...)
  return run('UNLINK', ...)
end

local function through(run)
  return function(command, ...)
    local virtual = own[command]
    if virtual then return virtual(run, ...) end
    return run(command, ...)
  end
end
local redis = setmetatable({ call = through(server.call), pcall = through(server.pcall) }, { __index = server })
