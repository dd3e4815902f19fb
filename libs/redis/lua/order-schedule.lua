-- What code or an operator orders of a recurring message (shard 0): `put`, `pause`, `resume` or `remove`.
-- KEYS: slot, meta, schedules, contents. ARGV: number, not after, order, name; of `put` rule, ordering key, content, most
-- schedules of a topic; of `pause` by, why. Returns 'NO_TOPIC'; 'CREATED', 'CHANGED', 'UNCHANGED', 'FULL'; else 'DONE' or
-- 'NOTHING' when there is nothing of the kind to pause, resume or remove.
local slot, meta, schedules, contents = unpack(KEYS)
local number, not_after, order, name = unpack(ARGV, 1, 4)
local terms = { unpack(ARGV, 5) }

local before = replay(slot, number, not_after)
if before then return before end
if redis.call('HEXISTS', meta, 'topic') == 0 then return 'NO_TOPIC' end

local now = now_ms()
local state = schedule_of(schedules, name)
local exists = state and not state.removed

local function put(rule, okey, content, most)
  local same = exists and state.rule == rule and state.okey == okey and redis.call('HGET', contents, name) == content
  if same then return 'UNCHANGED' end
  if not state and redis.call('HLEN', schedules) >= tonumber(most) then return 'FULL' end
  state = state or {}
  drop_tick(state, now)
  if not exists then state.pause, state.lastAt = nil, nil end
  redis.call('HSETNX', meta, 'schedules:since', text(now)) -- another one tells that data was lost
  -- Never twice the same, also of a schedule that was removed: a tick's key begins with it.
  state.revision = redis.call('HINCRBY', meta, 'schedules', 1)
  state.rule, state.okey, state.from, state.removed = rule, okey, now, nil
  redis.call('HSET', contents, name, content)
  keep_schedule(schedules, name, state)
  return exists and 'CHANGED' or 'CREATED'
end

local function pause(by, why)
  drop_tick(state, now)
  state.pause, state.from = { by = by, why = why, since = now }, now
  keep_schedule(schedules, name, state)
  return 'DONE'
end

local function resume()
  if not state.pause then return 'NOTHING' end
  state.pause, state.from = nil, math.max(now, state.from)
  -- The tick that the pause has dropped may be planned again: as another one, or the watch over the first would take it back.
  state.revision = redis.call('HINCRBY', meta, 'schedules', 1)
  keep_schedule(schedules, name, state)
  return 'DONE'
end

local function remove()
  drop_tick(state, now)
  state.removed = true
  redis.call('HDEL', contents, name)
  if state.drops and #state.drops > 0 then keep_schedule(schedules, name, state) else redis.call('HDEL', schedules, name) end
  return 'DONE'
end

local orders = { put = put, pause = pause, resume = resume, remove = remove }
local reply = (exists or order == 'put') and orders[order](unpack(terms)) or 'NOTHING'
return remember(slot, number, not_after, reply)
