-- Lease dead letters that nobody was told of: each gets the instant from which somebody else may take it, which is also the
-- proof of the lease. The empty name declares that somebody wants to be told: settle.lua notes deaths only where it stands.
-- A lost reply only means that they come again after the lease.
-- KEYS: untold, dead letters by name. ARGV: max, lease ms, how long the declaration lives, bytes.
-- Returns for each: name, proof, then what was kept of it.
local untold, letters = unpack(KEYS)
local max, lease, life, bytes = unpack(ARGV)
local now = now_ms()
redis.call('ZADD', untold, 'NX', 'inf', '')
if redis.call('PTTL', untold) < life / 2 then redis.call('PEXPIRE', untold, life) end
local taken, used = {}, 0
local due = tonumber(max) > 0 and redis.call('ZRANGEBYSCORE', untold, '-inf', text(now), 'LIMIT', 0, max) or {}
for _, name in ipairs(due) do
  local size = redis.call('HSTRLEN', letters, name)
  if size == 0 then
    redis.call('ZREM', untold, name)
  elseif used > 0 and used + size > tonumber(bytes) then
    break
  else
    used = used + size
    local proof = text(now + tonumber(lease))
    redis.call('ZADD', untold, proof, name)
    taken[#taken + 1] = { name, proof, unpack(cmsgpack.unpack(redis.call('HGET', letters, name))) }
  end
end
return taken
