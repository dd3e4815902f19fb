-- Store a message that nobody sees before its commit. A business key that is known stores nothing and answers with the
-- first message. KEYS: slot, meta, payloads, states, checks of the producer group, outcome, delay zset of its bucket,
-- [bucket of its record].
-- ARGV after the token's: producer group, ms to the first check, queue, due, bucket, record name, digest, routing key, id, tag, ordering key, envelope, body. Returns 'HALF', 'NO_TOPIC', 'TAKEN' (the id is half already), 'CONFLICT <id>', or
-- 'DUPLICATE <due, half or -> <queue> <id>'.
local slot, meta, payloads, states, checks, outcome, dz, records = unpack(KEYS)
local number, not_after, group, after, queue, due, bucket, name, digest, routing = unpack(ARGV, 1, 10)
local id, tag, okey, envelope, body = unpack(ARGV, 11)

local before = replay(slot, number, not_after)
if before then return before end
if redis.call('EXISTS', meta) == 0 then return 'NO_TOPIC' end

local known, stored
if records then known, stored = read_record(records, name) end
if known then
  redis.call('HSET', records, name, stored) -- written on purpose, see token.lua
  local first, place, at, first_id = string.match(known, '^(%x*)|([%dh-]+)|(%d+)|(.*)$')
  if first ~= digest then return remember(slot, number, not_after, 'CONFLICT ' .. first_id) end
  local scheduled = tonumber(place) and redis.call('ZSCORE', dz, first_id)
  local state = place == 'h' and 'half' or scheduled and text(tonumber(scheduled)) or '-'
  return remember(slot, number, not_after, 'DUPLICATE ' .. state .. ' ' .. at .. ' ' .. first_id)
end
if redis.call('HEXISTS', payloads, id) == 1 then return remember(slot, number, not_after, 'TAKEN') end

local now = now_ms()
redis.call('HSET', payloads, id, cmsgpack.pack({ queue, id, tag, okey, envelope, body, name, due, bucket, digest, routing }))
redis.call('HSET', states, id, cmsgpack.pack({ group, 0, text(now) }))
redis.call('ZADD', checks, text(now + tonumber(after)), id)
drop_record(outcome, id) -- of a former message of this id
-- Without end: its window begins with the commit.
if records then keep_endless(records, name, digest .. '|h|' .. queue .. '|' .. id) end
return remember(slot, number, not_after, 'HALF')
