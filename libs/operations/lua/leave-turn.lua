-- Give the turn up, if it is still this runner's. ARGV: operation, runner.
local turn = unpack(KEYS)
local operation, runner = unpack(ARGV)
if redis.call('GET', turn) ~= operation .. ' ' .. runner then return 'HELD' end
redis.call('DEL', turn)
return 'LEFT'
