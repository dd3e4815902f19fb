-- Count the parked messages of some queues. Reads only. KEYS: of each queue parked keys, members, kept messages,
-- bell. Returns {keys whose first message waits for its time, messages handed out, other messages}.
local keys = KEYS
local SEEN = 1000 -- keys handed out at once are few: an owner's window bounds them
local retrying, leased, all = 0, 0, 0
for at = 1, #keys, 4 do
  local p = { keys = keys[at], members = keys[at + 1], kept = keys[at + 2], bell = keys[at + 3] }
  all = all + redis.call('ZCARD', p.members)
  retrying = retrying + redis.call('ZCOUNT', p.keys, '-inf', '(' .. text(TAKEN))
  for _, okey in ipairs(redis.call('ZRANGEBYSCORE', p.keys, text(TAKEN), '(' .. text(EXHAUSTED), 'LIMIT', 0, SEEN)) do
    local _, _, page = key_note(p, okey)
    if page ~= '' then
      leased = leased + redis.call('ZLEXCOUNT', p.members, '[' .. key_name(okey), '[' .. key_name(okey) .. page)
    end
  end
end
return { retrying, leased, all - retrying - leased }
