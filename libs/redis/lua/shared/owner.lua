-- Whether a pending entry belongs to this consumer. XACK and XCLAIM do not ask. A missing group owns nothing.
local function owns(stream, group, consumer, entry)
  local row = redis.pcall('XPENDING', stream, group, entry, entry, 1, consumer)
  return row[1] ~= nil
end

-- Which of these entries, in the order of their ids, belong to the consumer: entry → true. One look at what is pending between
-- the first and the last is a third of the cost of a look for each. Others that are still in hand lie between them: what
-- the page does not reach is looked for alone.
local function owned(stream, group, consumer, entries)
  local found = {}
  local rows = redis.pcall('XPENDING', stream, group, entries[1], entries[#entries], 2 * #entries, consumer)
  for _, row in ipairs(rows) do found[row[1]] = true end
  for _, entry in ipairs(entries) do found[entry] = found[entry] or owns(stream, group, consumer, entry) end
  return found
end

local holding = {} -- no script that asks moves a lease

-- Whether the queue lease, `<queue> <member> <epoch>`, is still the stored one. '' = no lease needed (concurrent mode).
-- A lease that ran out but that nobody has taken over is still good: the epoch has not moved.
local function lease_holds(owners, lease)
  if lease == '' then return true end
  if holding[lease] ~= nil then return holding[lease] end
  local queue, member, epoch = string.match(lease, '^(%d+) (.*) (%d+)$')
  local owner, held = string.match(redis.call('HGET', owners, queue) or '', '^(.*)|(%d+)|%d+$')
  holding[lease] = owner == member and held == epoch
  return holding[lease]
end
