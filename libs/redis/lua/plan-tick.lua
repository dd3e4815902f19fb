-- Take an instant as the next tick of a recurring message (shard 0), if it is as the caller knows it. Repeating it gives the
-- content again until the tick is sent. KEYS: schedules, contents. ARGV: name, revision, at, the tick or beginning it follows.
-- Returns 'CHANGED', 'SENT', or 'SEND' and the content.
local schedules, contents = unpack(KEYS)
local name, revision, at, after = unpack(ARGV)
local state = schedule_of(schedules, name)
if not state or state.removed or state.pause or state.revision ~= tonumber(revision) then return 'CHANGED' end
for _, drop in ipairs(state.drops or {}) do
  if drop.open then return 'CHANGED' end
end
if planned_to(state) ~= tonumber(at) or not state.tick then
  if planned_to(state) ~= tonumber(after) or tonumber(at) <= tonumber(after) then return 'CHANGED' end
  if state.tick then state.lastAt = state.tick.at end
  state.tick = { at = tonumber(at), sent = false }
  keep_schedule(schedules, name, state)
end
return state.tick.sent and 'SENT' or 'SEND' .. redis.call('HGET', contents, name)
