-- Say that keys of idempotent listeners are done, where the claim holds. KEYS: meta, buckets. ARGV: of each ttl ms, fence,
-- message id, result ('' = none), name. Returns the indexes whose claim does not hold. Repeating it is harmless: who has
-- completed it completes it again.
local meta, keys, args = KEYS[1], KEYS, ARGV
go_on_when_full(meta)
local now, lost = now_ms(), {}
for index = 1, #keys - 1 do
  local bucket, ttl, fence, id, result, name = keys[index + 1], unpack(args, 5 * index - 4, 5 * index)
  local record = read_record(bucket, name)
  local _, did, by = read_done(record)
  if is_of(record, fence, id) then
    local done = 'd ' .. text(now) .. ' ' .. fence .. ' ' .. #id .. ':' .. id .. result
    keep_record(bucket, name, done, now + tonumber(ttl))
  elseif by ~= id or did ~= tonumber(fence) then
    lost[#lost + 1] = index - 1
  end
end
return lost
