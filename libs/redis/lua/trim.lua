-- Remove the head of a stream that no declared group needs any more: below the smallest of each group's first pending
-- and last delivered entry, and outside of retention. The groups are read here: one that was declared a moment ago
-- counts. Returns how many went, or 'NO_GROUP' when a declared group has no position in the stream (then nothing is safe).
-- KEYS: the stream, the topic. ARGV: what to keep in ms, in number, in bytes; the only group concerned ('' = all).
local stream, meta = unpack(KEYS)
local keep_ms, keep_count, keep_bytes, only = unpack(ARGV)
local MOST = 10000 -- per step and call, so that no call holds up the server; LIMIT 0 would mean no limit
local SAMPLES = 1000 -- nodes at the head that are weighed

-- XREADGROUP goes to replicas and to the append-only file without entries-read: after a restart or a failover the server takes
-- for unread what was read long ago. Put right when the group has nearly caught up, where counting costs next to nothing.
local FEW = 16
local function put_lag_right(info)
  if not info['entries-read'] or not info.lag or info.lag == 0 then return end
  local read_to = info['last-delivered-id']
  local unread = #redis.call('XRANGE', stream, '(' .. read_to, '+', 'COUNT', FEW)
  if unread == FEW or unread == info.lag then return end
  redis.call('XGROUP', 'SETID', stream, info.name, read_to, 'ENTRIESREAD', info['entries-read'] + info.lag - unread)
end

-- Without any declared group nobody has finished anything: who sends before the first consumer is there loses nothing.
-- Unless the topic is read by broadcast, which waits for nobody: then retention alone decides.
local function is_broadcast()
  for _, field in ipairs(redis.call('HKEYS', meta)) do
    if string.find(field, 'broadcast:', 1, true) == 1 then return true end
  end
end
local wanted = only == '' and declared_groups(meta) or { [only] = true }
if next(wanted) == nil and not is_broadcast() or redis.call('EXISTS', stream) == 0 then return 0 end
local floor = text(now_ms()) .. '-0'
for _, row in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local info = {}
  for at = 1, #row, 2 do info[row[at]] = row[at + 1] end
  if wanted[info.name] then
    wanted[info.name] = nil
    put_lag_right(info)
    local pending = redis.call('XPENDING', stream, info.name)
    local needed = pending[1] > 0 and pending[2] or info['last-delivered-id']
    if less(needed, floor) then floor = needed end
  end
end
if next(wanted) ~= nil then return 'NO_GROUP' end

local by_time = text(math.max(now_ms() - tonumber(keep_ms), 0)) .. '-0'
local gone = redis.call('XTRIM', stream, 'MINID', '~', less(by_time, floor) and by_time or floor, 'LIMIT', MOST)

-- More than may be kept in number or bytes: give up settled ones even inside the time, oldest first.
local function give_up(excess)
  if excess >= 1 then gone = gone + redis.call('XTRIM', stream, 'MINID', '~', floor, 'LIMIT', math.min(excess, MOST)) end
end
give_up(redis.call('XLEN', stream) - tonumber(keep_count))
local length = redis.call('XLEN', stream)
local bytes = length > 0 and redis.call('MEMORY', 'USAGE', stream, 'SAMPLES', SAMPLES) or 0
if bytes > tonumber(keep_bytes) then give_up(math.ceil((bytes - tonumber(keep_bytes)) * length / bytes)) end
return gone
