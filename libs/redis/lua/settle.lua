-- End deliveries, each in one way, if they are still this consumer's: ack | skip:<tag> | expire | retry | release |
-- dead. With `*` after the word, the first three: the entry has a note of its own (see mark-started.lua), which goes
-- with it. A skip is refused when a member of the group has registered the tag: it stays ours, to be handed back.
-- A delivery that is not ours any more is left alone: its new owner decides. Returns 'SETTLED', or 'LOST', the indexes
-- that were not ours, 'WANTED', the indexes that were refused.
local slot, meta, notes, held, owners, waiting, payloads, retries, dead, letters, untold, registered =
  unpack(KEYS)
local number, ttl, group, consumer, streams = unpack(ARGV, 1, 5)
local keys, args = KEYS, ARGV

local before = replay(slot, number, ttl)
if before then return before end
redis.call('PEXPIRE', slot, ttl) -- a first write that is never refused for memory: settling must always be possible

local now = now_ms()
local bare = { ack = true, skip = true, expire = true } -- nothing follows the verdict
local lost, wanted, counts = {}, {}, {}
local function count(what) counts[what] = (counts[what] or 0) + 1 end

-- Two entries may carry one message id (its business record had ended): the second must not overwrite the first.
local function free_name(hash, id, field)
  return redis.call('HEXISTS', hash, id) == 0 and id or id .. '~' .. field
end

local function come_again(field, queue, delay, id, tag, okey, envelope, body, state)
  if delay == '0' then
    return redis.call('XADD', retries, '*', 'i', id, 't', tag, 'o', okey, 'm', envelope, 'b', body, 'r', state)
  end
  local name = free_name(payloads, id, field)
  redis.call('HSET', payloads, name, cmsgpack.pack({ queue, id, tag, okey, envelope, body, '', state }))
  redis.call('ZADD', waiting, text(now + tonumber(delay)), name)
end

local function bury(field, queue, reason, id, tag, okey, envelope, body, state, why)
  local name = free_name(letters, id, field)
  redis.call('HSET', letters, name,
    cmsgpack.pack({ queue, id, tag, okey, envelope, body, reason, state, why, text(now) }))
  redis.call('ZADD', dead, text(now), name)
  if redis.call('EXISTS', untold) == 1 then redis.call('ZADD', untold, text(now), name) end
end

local at, index = 6 + tonumber(streams), 0
while at <= #args do
  local stream, field, verdict = unpack(args, at, at + 2)
  local lease, key = args[5 + tonumber(stream)], keys[12 + tonumber(stream)]
  local entry = string.match(field, ':(.*)$')
  local what, star, tag = string.match(verdict, '^(%a+)(%*?):?(.*)$')
  local mine = lease_holds(owners, lease) and owns(key, group, consumer, entry)
  local in_place = lease ~= '' and (verdict == 'retry' or verdict == 'release')
  if not mine then
    lost[#lost + 1] = index
  elseif what == 'skip' and is_registered(registered, tag) then
    wanted[#wanted + 1] = index
  else
    if star ~= '' or not bare[what] then redis.call('HDEL', notes, field) end
    if not in_place then
      redis.call('XACK', key, group, entry)
      if lease ~= '' then redis.call('HDEL', held, field) end
    end
    count(what)
  end
  if bare[what] then
    at = at + 3
  else
    -- queue, delay or reason, the five fields, state, why
    local queue, how, id, tag, okey, envelope, body, state, why = unpack(args, at + 3, at + 11)
    at = at + 12
    if mine and verdict == 'dead' then
      bury(field, queue, how, id, tag, okey, envelope, body, state, why)
    elseif mine and not in_place then
      come_again(field, queue, how, id, tag, okey, envelope, body, state)
    elseif mine and verdict == 'retry' then
      redis.call('HSET', held, field, text(now + tonumber(how)) .. ' ' .. state)
    end
  end
  index = index + 1
end
for what, many in pairs(counts) do redis.call('HINCRBY', meta, what .. ':' .. group, many) end
if #lost + #wanted == 0 then return remember(slot, number, ttl, 'SETTLED') end
return remember(slot, number, ttl, 'LOST ' .. table.concat(lost, ' ') .. ' WANTED ' .. table.concat(wanted, ' '))
