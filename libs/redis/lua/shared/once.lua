-- The record of a key of an idempotent listener: `p <until> <fence> <message id>` while it is claimed, or
-- `d <ms> <fence> <bytes of the id>:<id><result>` when it is done. Both live for the listener's ttl, a claim for its lease
-- at least; a claim that has run out may be taken over, but is still its holder's while nobody has.
local function read_claim(record)
  local till, fence, id = string.match(record or '', '^p (%d+) (%d+) (.*)$')
  return tonumber(till), tonumber(fence), id
end

local function read_done(record)
  local at, fence, length, rest = string.match(record or '', '^d (%d+) (%d+) (%d+):(.*)$')
  if not at then return end
  return tonumber(at), tonumber(fence), string.sub(rest, 1, tonumber(length)), string.sub(rest, tonumber(length) + 1)
end

local function is_of(record, fence, id)
  local _, held, holder = read_claim(record)
  return holder == id and held == tonumber(fence)
end

local function put_claim(bucket, name, lease, ttl, fence, id)
  local now, life = now_ms(), math.max(tonumber(lease), tonumber(ttl))
  keep_record(bucket, name, 'p ' .. text(now + tonumber(lease)) .. ' ' .. fence .. ' ' .. id, now + life)
end
