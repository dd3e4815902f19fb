-- Note that the message of the planned tick is stored (shard 0). KEYS: schedules. ARGV: name, revision, at.
-- Returns 'NOTED', or 'CHANGED' when another tick is planned now, or none.
local schedules = unpack(KEYS)
local name, revision, at = unpack(ARGV)
local state = schedule_of(schedules, name)
local tick = state and state.revision == tonumber(revision) and state.tick
if not tick or tick.at ~= tonumber(at) then return 'CHANGED' end
tick.sent = true
keep_schedule(schedules, name, state)
return 'NOTED'
