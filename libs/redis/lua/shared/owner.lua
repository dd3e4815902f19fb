-- Whether a pending entry belongs to this consumer. XACK and XCLAIM do not ask. A missing group owns nothing.
local function owns(stream, group, consumer, entry)
  local row = redis.pcall('XPENDING', stream, group, entry, entry, 1, consumer)
  return row[1] ~= nil
end

-- Whether the queue lease, `<queue> <member> <epoch>`, is still the stored one. '' = no lease needed (concurrent mode).
-- A lease that ran out but that nobody has taken over is still good: the epoch has not moved.
local function lease_holds(owners, lease)
  if lease == '' then return true end
  local queue, member, epoch = string.match(lease, '^(%d+) (.*) (%d+)$')
  local stored = redis.call('HGET', owners, queue)
  if not stored then return false end
  local owner, held = string.match(stored, '^(.*)|(%d+)|%d+$')
  return owner == member and held == epoch
end
