-- The answer of a frozen call is kept under its slot: a second execution gives the first answer and changes nothing.
-- A slot has one unresolved call at a time and its numbers only grow, so the latest answer is all that must be kept.
-- A hit is a write too, one that is never refused for memory: WAIT and WAITAOF cover only what their own connection has
-- written, and a second execution must be provable like the first.
local function replay(slot, number, ttl)
  local kept = redis.call('GET', slot)
  if not kept then return nil end
  local space = string.find(kept, ' ', 1, true)
  local latest = tonumber(string.sub(kept, 1, space - 1))
  if latest < tonumber(number) then return nil end
  if latest > tonumber(number) then return 'STALE' end
  redis.call('PEXPIRE', slot, ttl)
  return string.sub(kept, space + 1)
end

local function remember(slot, number, ttl, reply)
  redis.call('SET', slot, number .. ' ' .. reply, 'PX', ttl)
  return reply
end
