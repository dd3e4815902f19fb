-- Say that keys of idempotent listeners are done, where the claim holds. KEYS: meta, records. ARGV: of each ttl ms, fence,
-- message id, result ('' = none). Returns the indexes whose claim does not hold. Repeating it is harmless: who has
-- completed it completes it again.
local meta, keys, args = KEYS[1], KEYS, ARGV
go_on_when_full(meta)
local now, lost = now_ms(), {}
for index = 1, #keys - 1 do
  local key, ttl, fence, id, result = keys[index + 1], unpack(args, 4 * index - 3, 4 * index)
  local record = redis.call('GET', key)
  local _, did, by = read_done(record)
  if is_of(record, fence, id) then
    redis.call('SET', key, 'd ' .. text(now) .. ' ' .. fence .. ' ' .. #id .. ':' .. id .. result, 'PX', ttl)
  elseif by ~= id or did ~= tonumber(fence) then
    lost[#lost + 1] = index - 1
  end
end
return lost
