-- A sign of life of one member (shard 0), and what it must know of its group. Written only every `refresh` ms: most
-- beats just read. Returns 'NO_GROUP', or {'NEW' when its tags were not registered any more else 'KNOWN', the state}.
local meta, live, registered = unpack(KEYS)
local group, member, tags, refresh, silent = unpack(ARGV)
if redis.call('HEXISTS', meta, 'group:' .. group) == 0 then return 'NO_GROUP' end
local now = now_ms()
local known = 'KNOWN'
for _, tag in ipairs(cjson.decode(tags)) do
  if not redis.call('ZSCORE', registered, tag) then known = 'NEW' end
end

local own = redis.call('HGET', live, member)
if known == 'NEW' or not own or now - tonumber(string.match(own, '^%d+')) >= tonumber(refresh) then
  register(registered, tags, now)
  redis.call('HSET', live, member, text(now) .. ' ' .. tags)
  redis.call('HSET', meta, 'seen:' .. group, text(now))
  redis.call('HDEL', meta, 'told:' .. group)
  local signs = redis.call('HGETALL', live)
  for at = 1, #signs, 2 do
    if now - tonumber(string.match(signs[at + 1], '^%d+')) > tonumber(silent) then redis.call('HDEL', live, signs[at]) end
  end
  redis.call('PEXPIRE', live, silent)
end
return { known, group_state(meta, live, registered, group, now) }
