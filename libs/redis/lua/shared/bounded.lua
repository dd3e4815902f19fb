-- A topic with maxLength. ARGV 4: JSON of limit, onFull and names (see backlog.lua; also payloads, notes, parkedKeys,
-- parkedMessages).
local topic_meta, bound = KEYS[2], cjson.decode(ARGV[4])
local FIRST = 5
local names = bound.names
local MOST = 256 -- dropped per call and group: a call sends fewer, so that it always makes more room than it takes

local room
local appends = false -- what stores nothing, a duplicate or a delayed message, makes nobody lose anything
local function has_room()
  appends = true
  if bound.onFull ~= 'reject' then return true end
  if not room then
    local slowest, groups = 0, declared_groups(topic_meta)
    for group, mode in pairs(groups) do slowest = math.max(slowest, backlog(names, group, mode)) end
    if next(groups) == nil then -- everything waits for the first group
      for _, stream in ipairs(names.queues) do slowest = slowest + redis.call('XLEN', stream) end
    end
    room = bound.limit - slowest
  end
  room = room - 1
  return room >= 0
end

local function drop_from(stream, at, group, entries)
  local _, read = standing(stream, group)
  local skipped, last = 0
  for _, entry in ipairs(entries) do
    if entry.pending then
      redis.call('XACK', stream, group, entry.id) -- who holds it is told so with its next renewal or settlement
      local queues = #names.queues
      local field = (at <= queues and 'q' .. at - 1 or 'r' .. at - queues - 1) .. ':' .. entry.id
      redis.call('HDEL', names.group .. group .. names.notes, field)
    else
      skipped, last = skipped + 1, entry.id
    end
  end
  if not last then return end
  local known = read and { 'ENTRIESREAD', read + skipped } or {}
  redis.call('XGROUP', 'SETID', stream, group, last, unpack(known))
end

-- Messages of parked keys; a key of which nothing is left is no longer parked.
local function drop_parked(group, count)
  local dropped, of = 0, names.group .. group
  for queue = 0, #names.queues - 1 do
    local p = { keys = of .. names.parkedKeys .. queue, members = of .. names.parkedMembers .. queue, kept = of .. names.parkedMessages .. queue }
    for _, member in ipairs(count > dropped and redis.call('ZRANGE', p.members, 0, count - dropped - 1) or {}) do
      drop(p, member)
      redis.call('HDEL', of .. names.notes, 'p' .. queue .. ':' .. member)
      if #first_members(p, okey_of(member), 1) == 0 then go_on(p, okey_of(member)) end
      dropped = dropped + 1
    end
  end
  return dropped
end

-- The oldest unfinished entries of all streams of the group, then the retries that are due first, then parked ones.
local function drop_oldest(group, mode, count)
  local streams, found, chosen = streams_of(names, group, mode), {}, {}
  for at, stream in ipairs(streams) do
    chosen[at] = {}
    local _, _, read_to = standing(stream, group)
    for _, row in ipairs(read_to and redis.call('XPENDING', stream, group, '-', '+', count) or {}) do
      found[#found + 1] = { id = row[1], at = at, pending = true }
    end
    for _, row in ipairs(read_to and redis.call('XRANGE', stream, '(' .. read_to, '+', 'COUNT', count) or {}) do
      found[#found + 1] = { id = row[1], at = at }
    end
  end
  table.sort(found, function(a, b) return less(a.id, b.id) end)
  local dropped = math.min(count, #found)
  for index = 1, dropped do table.insert(chosen[found[index].at], found[index]) end
  for at, stream in ipairs(streams) do drop_from(stream, at, group, chosen[at]) end
  local waiting, payloads = names.group .. group .. names.waiting, names.group .. group .. names.payloads
  if dropped < count then
    for _, name in ipairs(redis.call('ZRANGE', waiting, 0, count - dropped - 1)) do
      redis.call('ZREM', waiting, name)
      redis.call('HDEL', payloads, name)
      dropped = dropped + 1
    end
  end
  if dropped < count and mode == 'ordered' then dropped = dropped + drop_parked(group, count - dropped) end
  redis.call('HINCRBY', topic_meta, 'drop:' .. group, dropped)
end

local function make_room()
  if bound.onFull == 'reject' or not appends then return end
  for group, mode in pairs(declared_groups(topic_meta)) do
    local excess = backlog(names, group, mode) - bound.limit
    if excess > 0 then drop_oldest(group, mode, math.min(excess, MOST)) end
  end
end
