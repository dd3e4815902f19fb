-- The member ends: it is not listed any more. Its tags stay registered, it may only be restarting.
local live = unpack(KEYS)
local member = unpack(ARGV)
return redis.call('HDEL', live, member)
