-- Read dead letters in order of death, newest first. Reads only. Returns for each: name, then what was kept of it.
local dead, letters = unpack(KEYS)
local offset, limit = unpack(ARGV)
local found = {}
for _, name in ipairs(redis.call('ZREVRANGE', dead, offset, offset + limit - 1)) do
  local letter = redis.call('HGET', letters, name)
  if letter then found[#found + 1] = { name, unpack(cmsgpack.unpack(letter)) } end
end
return found
