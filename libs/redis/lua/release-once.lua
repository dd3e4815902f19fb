-- Give claims of idempotent listeners up: nothing was done. KEYS: buckets. ARGV: of each fence, message id, name.
local keys, args = KEYS, ARGV
for index = 1, #keys do
  local fence, id, name = unpack(args, 3 * index - 2, 3 * index)
  if is_of(read_record(keys[index], name), fence, id) then drop_record(keys[index], name) end
end
return 'RELEASED'
