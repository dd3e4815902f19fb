-- Give a queue up, if it is still ours under this epoch; the epoch stays, so that the next owner gets a higher one.
local owners = unpack(KEYS)
local lease = unpack(ARGV)
if not lease_holds(owners, lease) then return 'LOST' end
local queue, _, epoch = string.match(lease, '^(%d+) (.*) (%d+)$')
go_on_when_full(owners)
redis.call('HSET', owners, queue, '|' .. epoch .. '|0')
return 'RELEASED'
