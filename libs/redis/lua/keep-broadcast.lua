-- Keep the places of a named broadcast instance for `ttl` ms. Without ownership: two who share a name harm only
-- themselves, and the later call counts. Repeating it is harmless.
local kept = unpack(KEYS)
local places, ttl = unpack(ARGV)
redis.call('SET', kept, places, 'PX', ttl)
return 'KEPT'
