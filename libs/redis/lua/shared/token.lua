-- The answer of a frozen call is kept under its slot: a second execution gives the first answer and changes nothing.
-- A slot has one unresolved call at a time and its numbers only grow, so the latest answer is all that must be kept.
-- The slots of a client lie in blocks, hashes with a life each: `field` → `<number> <ms> <reply>`. A script passes the slot's block
-- and `<field>.<number>` on as they came.
-- No copy of the call is executed after `not_after`, and the answer is kept for longer than that: none is executed twice,
-- whoever's clock is wrong. 'LATE <now>' says that no answer is kept, and it is too late to make one.
-- A hit is a write too, one that is never refused for memory: WAIT and WAITAOF cover only what their own connection has
-- written, and a second execution must be provable like the first.
local KEPT_LONGER_MS = 10000 -- more than a script can take from its look at the clock to its answer
local STEP_MS = 10000 -- by which a block's life goes beyond what is needed, so that few calls have to prolong it
local field, call
-- Until when the block lives at least: noted with each answer, because a block's life never gets shorter. 0 = not known.
local lives_until = 0

local function kept_until(not_after) return tonumber(not_after) + KEPT_LONGER_MS end

local function replay(slot, token, not_after)
  field, call = string.match(token, '^(%d+)%.(%d+)$')
  local kept = redis.call('HGET', slot, field)
  local latest, till, reply_at = string.match(kept or '', '^(%d+) (%d+) ()')
  lives_until = tonumber(till or 0)
  latest = tonumber(latest or 0)
  if latest < tonumber(call) then
    local now = now_ms()
    return now > tonumber(not_after) and 'LATE ' .. text(now) or nil
  end
  if latest > tonumber(call) then return 'STALE' end
  local ends = math.max(redis.call('PEXPIRETIME', slot), kept_until(not_after))
  redis.call('PEXPIREAT', slot, text(ends))
  return string.sub(kept, reply_at)
end

-- After `replay`, which has said that there is no answer yet.
local function remember(slot, _, not_after, reply)
  local needed = kept_until(not_after)
  if lives_until < needed then lives_until = redis.call('PEXPIRETIME', slot) end -- negative: a new block
  local is_short = lives_until < needed
  if is_short then lives_until = needed + STEP_MS end
  redis.call('HSET', slot, field, call .. ' ' .. text(lives_until) .. ' ' .. reply)
  if is_short then redis.call('PEXPIREAT', slot, text(lives_until)) end
  return reply
end
