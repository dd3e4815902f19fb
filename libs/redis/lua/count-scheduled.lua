-- Count the messages of one bucket that are due between instants. Reads only. KEYS: zset of the bucket. ARGV: instants, Unix ms,
-- ascending, at most 201; '-inf' and '+inf' too. Returns a number for each pair of neighbours: due from one, before the next.
local due = unpack(KEYS)
local counts = {}
for at = 1, #ARGV - 1 do
  local from, before = unpack(ARGV, at, at + 1)
  counts[at] = redis.call('ZCOUNT', due, from, before == '+inf' and before or '(' .. before)
end
return counts
