-- Give claims of idempotent listeners up: nothing was done. KEYS: records. ARGV: of each fence, message id.
local keys, args = KEYS, ARGV
for index = 1, #keys do
  if is_of(redis.call('GET', keys[index]), args[2 * index - 1], args[2 * index]) then redis.call('DEL', keys[index]) end
end
return 'RELEASED'
