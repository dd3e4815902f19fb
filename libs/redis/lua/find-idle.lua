-- Look for groups without a sign of life (shard 0). Each is told once, until it lives again. KEYS: slot, meta.
-- ARGV: idle ms, ms after which a group expires ('' = never). A group that was never seen counts from now on.
-- Returns JSON: [[group, idle ms of those told now]..., [group, idle ms, 'EXPIRES']..., ['', 0, 'SCHEDULES'] if the topic has any]
local slot, meta = unpack(KEYS)
local number, not_after, idle_after, expire_after = unpack(ARGV)
local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(meta)
local now, found = now_ms(), {}
for _, field in ipairs(redis.call('HKEYS', meta)) do
  local group = string.match(field, '^group:(.*)$')
  if field == 'schedules' then found[#found + 1] = { '', 0, 'SCHEDULES' } end
  if group then
    redis.call('HSETNX', meta, 'seen:' .. group, text(now))
    local idle = now - tonumber(redis.call('HGET', meta, 'seen:' .. group))
    if idle >= tonumber(idle_after) and redis.call('HSETNX', meta, 'told:' .. group, text(now)) == 1 then
      found[#found + 1] = { group, idle }
    end
    if expire_after ~= '' and idle >= tonumber(expire_after) then found[#found + 1] = { group, idle, 'EXPIRES' } end
  end
end
return remember(slot, number, not_after, #found == 0 and '[]' or cjson.encode(found))
