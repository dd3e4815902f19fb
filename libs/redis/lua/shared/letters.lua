-- Two entries may carry one message id (its business record had ended): the second must not overwrite the first.
local function free_name(hash, id, field)
  return redis.call('HEXISTS', hash, id) == 0 and id or id .. '~' .. field
end

-- letter: queue, the five fields, reason, state, why.
local function bury(dead, letters, untold, now, field, letter)
  local name = free_name(letters, letter[2], field)
  letter[10] = text(now)
  redis.call('HSET', letters, name, cmsgpack.pack(letter))
  redis.call('ZADD', dead, text(now), name)
  if redis.call('EXISTS', untold) == 1 then redis.call('ZADD', untold, text(now), name) end
end
