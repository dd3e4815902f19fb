-- Create a shard of a topic with these settings, or read the stored ones. Idempotent: the first writer wins.
-- Returns {settings, schema version}, or 'NO_TOPIC' when it is missing and may not be created.
local meta = unpack(KEYS)
local settings, schema, create = unpack(ARGV)
if redis.call('HEXISTS', meta, 'topic') == 0 then
  if create ~= 'create' then return 'NO_TOPIC' end
  redis.call('HSET', meta, 'topic', settings, 'schema', schema)
end
return redis.call('HMGET', meta, 'topic', 'schema')
