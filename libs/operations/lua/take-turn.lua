-- The right to run the one operation of a group, held by an operation and, within it, by one runner. `take`: also from an
-- earlier runner of the same operation, which is dead or too late. `keep`: only while it is still this runner's.
-- KEYS: the turn. ARGV: operation, runner, ms it lasts, `take` or `keep`. Returns 'OURS', or 'HELD' by somebody else.
local turn = unpack(KEYS)
local operation, runner, life, how = unpack(ARGV)
local ours = operation .. ' ' .. runner
local held = redis.call('GET', turn)
local free = not held and how == 'take'
local earlier = held and how == 'take' and string.sub(held, 1, #operation + 1) == operation .. ' '
if not (free or earlier or held == ours) then return 'HELD' end
redis.call('SET', turn, ours, 'PX', life)
return 'OURS'
