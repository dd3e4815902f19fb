-- Remove a half message and free its business key. KEYS: slot, meta, payloads, states, parked, outcome. ARGV after the
-- token's: what the checks of a producer group begin with, what the key of a record's bucket begins with, id, how long the outcome is kept,
-- 'sender' or 'operator'. Returns 'ROLLED_BACK', 'COMMITTED <due or ->', 'PARKED', 'NOT_PARKED' or 'NOT_FOUND'.
local slot, meta, payloads, states, parked, outcome = unpack(KEYS)
local number, not_after, waiting, id_prefix, id, kept_ms, who = unpack(ARGV)

local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(states)
local no = refusal(states, parked, outcome, id, who)
if no then return remember(slot, number, not_after, no) end
local held = end_half(payloads, states, parked, waiting, outcome, id, 'ROLLED_BACK', kept_ms)
if held[7] ~= '' then drop_record(record_key(id_prefix, held[7]), held[7]) end
redis.call('HINCRBY', meta, 'rolled-back', 1)
return remember(slot, number, not_after, 'ROLLED_BACK')
