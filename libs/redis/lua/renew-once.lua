-- Prolong claims of idempotent listeners, those that hold. KEYS: meta, records. ARGV: of each lease ms, ttl ms, fence,
-- message id. Returns the indexes that do not.
local meta, keys, args = KEYS[1], KEYS, ARGV
go_on_when_full(meta)
local now, lost = now_ms(), {}
for index = 1, #keys - 1 do
  local key, lease, ttl, fence, id = keys[index + 1], unpack(args, 4 * index - 3, 4 * index)
  if is_of(redis.call('GET', key), fence, id) then put_claim(key, now, lease, ttl, fence, id)
  else lost[#lost + 1] = index - 1 end
end
return lost
