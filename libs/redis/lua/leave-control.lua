-- The member ends: it is not listed any more, and its slots are free. Its tags stay registered, it may only be restarting.
local live, slots = unpack(KEYS)
local member = unpack(ARGV)
redis.call('HDEL', slots, member)
return redis.call('HDEL', live, member)
