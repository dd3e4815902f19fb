-- Prolong claims of idempotent listeners, those that hold. KEYS: meta, buckets. ARGV: of each lease ms, ttl ms, fence,
-- message id, name. Returns the indexes that do not.
local meta, keys, args = KEYS[1], KEYS, ARGV
go_on_when_full(meta)
local lost = {}
for index = 1, #keys - 1 do
  local bucket, lease, ttl, fence, id, name = keys[index + 1], unpack(args, 5 * index - 4, 5 * index)
  if is_of(read_record(bucket, name), fence, id) then put_claim(bucket, name, lease, ttl, fence, id)
  else lost[#lost + 1] = index - 1 end
end
return lost
