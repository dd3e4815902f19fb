-- Byte order, as in the zset; Lua's own comparison goes by the server's locale.
local function is_before(x, y)
  for i = 1, math.min(#x, #y) do
    local a, b = string.byte(x, i), string.byte(y, i)
    if a ~= b then return a < b end
  end
  return #x < #y
end

-- How many members lie before the position, and with it: found by halving, because many may share one score.
local function ranks_of(zset, ms, name)
  local low, high = redis.call('ZCOUNT', zset, '-inf', '(' .. ms), redis.call('ZCOUNT', zset, '-inf', ms)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_before(redis.call('ZRANGE', zset, middle, middle)[1], name) then low = middle + 1 else high = middle end
  end
  return low, redis.call('ZRANGE', zset, low, low)[1] == name and low + 1 or low
end
