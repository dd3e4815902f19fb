-- Register anew what a member takes, in a shard that its signs of life do not reach.
local registered = unpack(KEYS)
local tags = unpack(ARGV)
register(registered, tags, now_ms())
return 'REGISTERED'
