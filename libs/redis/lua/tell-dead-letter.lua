-- End or prolong the lease of an untold dead letter, if it is still ours. Returns 'TOLD' (`told`: it is done with), the new
-- proof (`again`: may be taken after `delay`), or 'LOST': taken by somebody else, died anew, or gone.
local untold = unpack(KEYS)
local name, proof, how, delay = unpack(ARGV)
local held = redis.call('ZSCORE', untold, name)
if not held or tonumber(held) ~= tonumber(proof) then return 'LOST' end
if how == 'told' then
  redis.call('ZREM', untold, name)
  return 'TOLD'
end
local again = text(now_ms() + tonumber(delay))
redis.call('ZADD', untold, again, name)
return again
