-- Make a half message ready, or schedule it; its delay and its place in the order count from now. Also with full memory: what
-- comes in has been there already. KEYS: slot, payloads, states, parked, outcome, the streams by queue, then a zset and a hash
-- for each delay bucket. ARGV after the token's: queues, what the checks of a producer group begin with, what the key of a record's
-- bucket begins with, id, idempotency window, how long the outcome is kept, 'sender' or 'operator'. Returns 'COMMITTED <due or ->',
-- 'ROLLED_BACK', 'PARKED', 'NOT_PARKED' or 'NOT_FOUND'.
local slot, payloads, states, parked, outcome = unpack(KEYS)
local number, not_after, queues, waiting, id_prefix, id, window, kept_ms, who = unpack(ARGV)
local keys, first_stream = KEYS, 6

local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(states)
local no = refusal(states, parked, outcome, id, who)
if no then return remember(slot, number, not_after, no) end

local now, word = now_ms(), 'COMMITTED -'
local due = cmsgpack.unpack(redis.call('HGET', payloads, id))[8]
local due_at = due ~= '' and (string.sub(due, 1, 1) == '+' and now + tonumber(due) or tonumber(due))
if due_at and due_at > now then word = 'COMMITTED ' .. text(due_at) else due_at = nil end

local held = end_half(payloads, states, parked, waiting, outcome, id, word, kept_ms)
local queue, _, tag, okey, envelope, body, name, _, bucket, digest = unpack(held)
if due_at then
  local at = first_stream + tonumber(queues) + 2 * tonumber(bucket)
  redis.call('ZADD', keys[at], text(due_at), id)
  redis.call('HSET', keys[at + 1], id, cmsgpack.pack({ queue, '', tag, okey, envelope, body, name }))
else
  append(keys[first_stream + tonumber(queue)], id, tag, okey, envelope, body)
end
if name ~= '' then
  local records, place = record_key(id_prefix, name), due_at and bucket or '-'
  drop_record(records, name)
  keep_record(records, name, digest .. '|' .. place .. '|' .. queue .. '|' .. id, (due_at or now) + tonumber(window))
end
return remember(slot, number, not_after, word)
