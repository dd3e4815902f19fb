-- Whose a delivery is, by owner.lua and parked.lua.

-- The parked keys of the queue of a stream: four keys from `first` on. Nil in concurrent mode.
local function parked_places(keys, first, lease)
  if lease == '' then return nil end
  return { keys = keys[first], members = keys[first + 1], kept = keys[first + 2], bell = keys[first + 3] }
end

-- Whether a delivery `<source><queue>:<entry>` is still out to its owner, and not by an earlier hand-over than the latest:
-- what comes out of a parked key names its take, `p<queue>:<take>:<member>`. Returns under what its start is noted, and the
-- member of what comes out of a parked key; nil when it is not.
local function held(p, owners, lease, stream, group, consumer, field)
  if not lease_holds(owners, lease) then return nil end
  local source, entry = string.match(field, '^(%a)%d+:(.*)$')
  if source ~= 'p' then return owns(stream, group, consumer, entry) and field or nil end
  local member, note = taken_member(p, lease, field)
  if member then return note, member end
end
