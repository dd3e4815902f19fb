-- The answer of a frozen call is kept under its slot: a second execution gives the first answer and changes nothing.
-- A slot has one unresolved call at a time and its numbers only grow, so the latest answer is all that must be kept.
-- No copy of the call is executed after `not_after`, and the answer is kept for longer than that: none is executed twice,
-- whoever's clock is wrong. 'LATE <now>' says that no answer is kept, and it is too late to make one.
-- A hit is a write too, one that is never refused for memory: WAIT and WAITAOF cover only what their own connection has
-- written, and a second execution must be provable like the first.
local KEPT_LONGER_MS = 10000 -- more than a script can take from its look at the clock to its answer
local function kept_until(not_after) return text(tonumber(not_after) + KEPT_LONGER_MS) end

local function replay(slot, number, not_after)
  local kept = redis.call('GET', slot)
  local space = kept and string.find(kept, ' ', 1, true)
  local latest = kept and tonumber(string.sub(kept, 1, space - 1)) or 0
  if latest < tonumber(number) then
    local now = now_ms()
    return now > tonumber(not_after) and 'LATE ' .. text(now) or nil
  end
  if latest > tonumber(number) then return 'STALE' end
  redis.call('PEXPIREAT', slot, kept_until(not_after))
  return string.sub(kept, space + 1)
end

local function remember(slot, number, not_after, reply)
  redis.call('SET', slot, number .. ' ' .. reply, 'PXAT', kept_until(not_after))
  return reply
end
