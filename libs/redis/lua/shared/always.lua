-- For scripts that must go on when memory is full, because only they lead to anything being freed: Redis refuses a script
-- for want of memory only before its first write, and this one is a removal of nothing, which is never refused.
local function go_on_when_full(hash) redis.call('HDEL', hash, '') end
