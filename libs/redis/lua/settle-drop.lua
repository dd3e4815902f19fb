-- What a cancel of a dropped tick's message answered (shard 0). One that was delivered counts as a tick: nothing is planned at
-- or before it. Any other is watched for a while: two processes may have planned it, and the copy of the slower one arrives
-- when the cancel of the first has freed its key. Repeating it changes nothing.
-- KEYS: schedules, contents. ARGV: name, revision, at, 'cancelled' | 'already-delivered' | 'not-found', ms to watch.
-- Returns 'SETTLED', or 'GONE' when there is no such drop.
local schedules, contents = unpack(KEYS)
local name, revision, at, answer, watched = unpack(ARGV)
local state = schedule_of(schedules, name)
local found
for index, drop in ipairs(state and state.drops or {}) do
  if drop.revision == tonumber(revision) and drop.at == tonumber(at) then found = index end
end
if not found then return 'GONE' end
local drop = state.drops[found]
if answer == 'already-delivered' and not state.removed then
  state.from, state.lastAt = math.max(state.from, drop.at), drop.at
end
if answer ~= 'already-delivered' and now_ms() < drop.since + tonumber(watched) then
  drop.open = false
else
  table.remove(state.drops, found)
end
if state.removed and #state.drops == 0 then
  redis.call('HDEL', schedules, name)
else
  keep_schedule(schedules, name, state)
end
return 'SETTLED'
