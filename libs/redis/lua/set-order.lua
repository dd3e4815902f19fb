-- Store what an operator orders for a topic or one of its groups (shard 0), or take it back (`order` = '').
-- ARGV: field of `meta`, group it is about ('' = the topic), order (JSON). Returns 'NO_TOPIC', 'NO_GROUP', 'STORED',
-- 'REMOVED', or 'NOTHING' when there was nothing in force to take back.
local meta = unpack(KEYS)
local field, group, order = unpack(ARGV)
if redis.call('HEXISTS', meta, 'topic') == 0 then return 'NO_TOPIC' end
if group ~= '' and redis.call('HEXISTS', meta, 'group:' .. group) == 0 then return 'NO_GROUP' end
if order ~= '' then
  local terms = cjson.decode(order)
  if terms.since == 0 then terms.since = now_ms() end -- the server's clock, for everybody the same
  redis.call('HSET', meta, field, cjson.encode(terms))
  return 'STORED'
end
local stored = redis.call('HGET', meta, field)
if not stored then return 'NOTHING' end
redis.call('HDEL', meta, field)
local till = cjson.decode(stored)['until']
return till and till <= now_ms() and 'NOTHING' or 'REMOVED'
