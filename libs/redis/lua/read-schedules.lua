-- Read the recurring messages of a topic (shard 0), or the one of this name. KEYS: meta, schedules. ARGV: name or ''.
-- Returns 'NONE' when the topic never had any, else {server ms, latest revision, name, record, name, record, …}.
local meta, schedules = unpack(KEYS)
local name = unpack(ARGV)
local latest = redis.call('HGET', meta, 'schedules')
if not latest then return 'NONE' end
local found = { text(now_ms()), latest }
if name ~= '' then
  local record = redis.call('HGET', schedules, name)
  if record then found[3], found[4] = name, record end
  return found
end
for _, part in ipairs(redis.call('HGETALL', schedules)) do found[#found + 1] = part end
return found
