-- Remove a member, so that others need not wait for its silence.
local members = unpack(KEYS)
local member = unpack(ARGV)
return redis.call('ZREM', members, member)
