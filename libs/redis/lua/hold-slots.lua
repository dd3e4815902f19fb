-- Hold slots of the concurrency that a whole group has (shard 0), under a lease. Each member gets what it wants, or its
-- fair share when that is too much; what is left over goes to those who have waited longest, so that nobody starves.
-- KEYS: meta, slots. ARGV: group, member, limit in the caller's code ('' = none), handlers that run, that should, lease
-- ms. A member's slots: `<held> <wanted> <since when it has had some, or none> <until>`. Returns {held, share}.
local meta, slots = unpack(KEYS)
local group, member, code, running, wanted, lease = unpack(ARGV)
running, wanted = tonumber(running), tonumber(wanted)
local stored = redis.call('HGET', meta, 'limits:' .. group)
local limit = stored and cjson.decode(stored).groupConcurrency or code
if limit == 'unlimited' or limit == '' then return { wanted, wanted } end
limit = tonumber(limit)

local now = now_ms()
local all, held_by_others, own = {}, 0, { name = member, wants = wanted, held = 0, since = 0, share = 0 }
local rows = redis.call('HGETALL', slots)
for at = 1, #rows, 2 do
  local held, wants, since, till = string.match(rows[at + 1], '^(%d+) (%d+) (%d+) (%d+)$')
  held, since = tonumber(held), tonumber(since)
  if rows[at] == member then
    own.held, own.since = held, since
  elseif tonumber(till) <= now then
    redis.call('HDEL', slots, rows[at])
  else
    held_by_others = held_by_others + held
    all[#all + 1] = { name = rows[at], wants = tonumber(wants), held = held, since = since, share = 0 }
  end
end
all[#all + 1] = own

-- Who wants no more than an equal part gets it; the others get equal parts of the rest.
table.sort(all, function(a, b) return a.wants < b.wants end)
local left, from = limit, 1
while from <= #all and all[from].wants <= math.floor(left / (#all - from + 1)) do
  all[from].share = all[from].wants
  left = left - all[from].wants
  from = from + 1
end
local part = math.floor(left / math.max(#all - from + 1, 1))
local short = { unpack(all, from) }
-- What cannot be divided goes round: to those without a slot, longest without one first; then to the latest holders.
table.sort(short, function(a, b)
  if (a.held == 0) ~= (b.held == 0) then return a.held == 0 end
  if a.since ~= b.since then return (a.since < b.since) == (a.held == 0) end
  return a.name < b.name
end)
for at, one in ipairs(short) do one.share = part + (at <= left - part * #short and 1 or 0) end

local held = math.max(running, math.min(own.share, limit - held_by_others), 0)
if (held > 0) ~= (own.held > 0) then own.since = now end
if held == 0 and wanted == 0 then
  redis.call('HDEL', slots, member)
else
  local row = { text(held), text(wanted), text(own.since), text(now + tonumber(lease)) }
  redis.call('HSET', slots, member, table.concat(row, ' '))
  redis.call('PEXPIRE', slots, text(2 * tonumber(lease)))
end
return { held, own.share }
