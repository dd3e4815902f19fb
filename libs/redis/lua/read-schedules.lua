-- Read the recurring messages of a topic (shard 0), or the one of this name. KEYS: meta, schedules. ARGV: name or ''.
-- Returns 'NONE' when the topic never had any, else {server ms, since when it has any, name, record, name, record, …}.
local meta, schedules = unpack(KEYS)
local name = unpack(ARGV)
local since = redis.call('HGET', meta, 'schedules:since')
if not since then return 'NONE' end
local found = { text(now_ms()), since }
if name ~= '' then
  local record = redis.call('HGET', schedules, name)
  if record then found[3], found[4] = name, record end
  return found
end
for _, part in ipairs(redis.call('HGETALL', schedules)) do found[#found + 1] = part end
return found
