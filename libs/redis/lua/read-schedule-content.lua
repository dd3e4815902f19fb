-- Read what a recurring message sends (shard 0). KEYS: contents. ARGV: name. Returns JSON, or 'NONE'.
local contents = unpack(KEYS)
local name = unpack(ARGV)
return redis.call('HGET', contents, name) or 'NONE'
