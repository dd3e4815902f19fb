-- Half messages of a shard. payloads: id → {queue, five fields, record, due, bucket, digest, routing key}; states: id →
-- {producer group, checks, since}; a zset per producer group: id → ms of its next check; parked: id → ms since it is parked.
-- A decision is kept in `outcome`, a bucket of records, for a while: whoever decides later is told of the first one.
local function half_state(states, id)
  local packed = redis.call('HGET', states, id)
  return packed and cmsgpack.unpack(packed)
end

-- What stands in the way of a decision, or nothing. A parked half message is an operator's, any other one its sender's.
local function refusal(states, parked, outcome, id, who)
  if redis.call('HEXISTS', states, id) == 0 then
    return who == 'operator' and 'NOT_PARKED' or read_record(outcome, id) or 'NOT_FOUND'
  end
  local is_parked = redis.call('ZSCORE', parked, id)
  if who == 'operator' then return not is_parked and 'NOT_PARKED' or nil end
  return is_parked and 'PARKED' or nil
end

-- Takes it out and notes its outcome. Returns what it held.
local function end_half(payloads, states, parked, waiting, outcome, id, word, kept_ms)
  local held = cmsgpack.unpack(redis.call('HGET', payloads, id))
  local state = half_state(states, id)
  redis.call('ZREM', waiting .. state[1], id)
  redis.call('ZREM', parked, id)
  redis.call('HDEL', states, id)
  redis.call('HDEL', payloads, id)
  keep_record(outcome, id, word, now_ms() + tonumber(kept_ms))
  return held
end
