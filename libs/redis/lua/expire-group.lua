-- Destroy a group in one shard, with all it has. In shard 0, which goes last, only if it is still idle: it may have come
-- back meanwhile. KEYS: meta, the queues, then everything of the group. ARGV: group, number of queues, ms it must have
-- been idle for ('' = not shard 0). Returns 'EXPIRED' or 'LIVES'.
local meta = unpack(KEYS)
local group, queues, idle_after = unpack(ARGV)
local keys = KEYS
if idle_after ~= '' then
  local seen = redis.call('HGET', meta, 'seen:' .. group)
  if not seen or now_ms() - tonumber(seen) < tonumber(idle_after) then return 'LIVES' end
end
for at = 2, 1 + tonumber(queues) do redis.pcall('XGROUP', 'DESTROY', keys[at], group) end
for at = 2 + tonumber(queues), #keys do redis.call('UNLINK', keys[at]) end
-- Fields about a group end with its name, or go on behind it with a colon, which no name has.
for _, field in ipairs(redis.call('HKEYS', meta)) do
  local colon = string.find(field, ':', 1, true)
  local rest = colon and string.sub(field, colon + 1) or ''
  if rest == group or string.sub(rest, 1, #group + 1) == group .. ':' then redis.call('HDEL', meta, field) end
end
return 'EXPIRED'
