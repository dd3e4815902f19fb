-- Make parked keys ready whose time has come, and ring for the owner of their queue. Repeating it just goes on.
-- KEYS: of each queue the parked keys, members, kept messages, bell. Returns {keys made ready, ms to the next or ''}.
local max = tonumber(unpack(ARGV))
local keys = KEYS
local now = now_ms()
local woken, next_due = 0, ''
for at = 1, #keys, 4 do
  local p = { keys = keys[at], members = keys[at + 1], kept = keys[at + 2], bell = keys[at + 3] }
  for _, okey in ipairs(redis.call('ZRANGEBYSCORE', p.keys, '-inf', text(now), 'LIMIT', 0, max)) do
    go_on_when_full(p.kept)
    set_state(p, okey, READY)
    woken = woken + 1
  end
  local head = redis.call('ZRANGE', p.keys, 0, 0, 'WITHSCORES')[2]
  if head and tonumber(head) < READY and (next_due == '' or tonumber(head) < next_due) then next_due = tonumber(head) end
end
return { woken, next_due == '' and '' or text(math.max(next_due - now, 0)) }
