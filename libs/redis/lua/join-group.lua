-- Say that a member is alive, forget those that were silent for `ttl`, and list who lives.
local members = unpack(KEYS)
local member, ttl = unpack(ARGV)
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', members, '-inf', text(now - tonumber(ttl)))
redis.call('ZADD', members, text(now), member)
redis.call('PEXPIRE', members, text(10 * tonumber(ttl)))
return redis.call('ZRANGE', members, 0, -1)
