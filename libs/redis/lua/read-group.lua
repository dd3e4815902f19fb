-- Look at a group (shard 0) without giving a sign of life. Reads only. Returns 'NO_GROUP' or the state.
local meta, live, registered = unpack(KEYS)
local group = unpack(ARGV)
if redis.call('HEXISTS', meta, 'group:' .. group) == 0 then return 'NO_GROUP' end
return group_state(meta, live, registered, group, now_ms())
