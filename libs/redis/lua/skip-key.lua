-- An operator gives up the first message of a parked key: it becomes a dead letter with its story, those behind it go
-- on. Not while it runs. KEYS: slot, notes, dead letters by time, by name, untold ones; parked keys, members, kept messages, bell.
-- ARGV after the token's: key, field prefix, state of a message that was never tried.
-- Returns 'SKIPPED <message id>', 'RUNNING' or 'NOT_PARKED'.
local slot, notes, dead, letters, untold, keys, members, kept, bell = unpack(KEYS)
local number, not_after, okey, prefix, untried = unpack(ARGV)
local before = replay(slot, number, not_after)
if before then return before end
local p = { keys = keys, members = members, kept = kept, bell = bell }
local score = tonumber(redis.call('ZSCORE', p.keys, okey) or '-1')
local first = first_members(p, okey, 1)[1]
if score < 0 or not first then return remember(slot, number, not_after, 'NOT_PARKED') end
if score >= TAKEN and score < EXHAUSTED then return remember(slot, number, not_after, 'RUNNING') end
local letter = cmsgpack.unpack(redis.call('HGET', p.kept, first))
if letter[7] == '' then letter[7] = 'rejected' end
if letter[8] == '' then letter[8] = untried end
if letter[9] == '' then letter[9] = 'skipped by an operator' end
bury(dead, letters, untold, now_ms(), prefix .. first, letter)
redis.call('HDEL', notes, prefix .. first)
drop(p, first)
go_on(p, okey)
return remember(slot, number, not_after, 'SKIPPED ' .. letter[2])
