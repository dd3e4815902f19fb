-- Move the due time of a message that is still scheduled; its business record lives on accordingly.
-- Returns 'RESCHEDULED <due>', 'ALREADY_DELIVERED', 'HALF' or 'NOT_FOUND'.
local slot, halves, records = unpack(KEYS)
local number, not_after, id_prefix, message_id, record, due, window = unpack(ARGV)

local before = replay(slot, number, not_after)
if before then return before end

local now = now_ms()
local due_at = string.sub(due, 1, 1) == '+' and now + tonumber(due) or tonumber(due)
if due_at < now then due_at = now end
local known = read_record(records, record)
local id = message_id
if id == '' and known then id = string.match(known, '^%x*|[%dh-]+|%d+|(.*)$') end
if id ~= '' and redis.call('HEXISTS', halves, id) == 1 then return remember(slot, number, not_after, 'HALF') end
local buckets = { unpack(KEYS, 4) }
for at = 1, #buckets, 2 do
  local payload = id ~= '' and redis.call('HGET', buckets[at + 1], id)
  if payload then
    redis.call('ZADD', buckets[at], 'XX', text(due_at), id)
    local name = cmsgpack.unpack(payload)[7]
    if name ~= '' then prolong_record(record_key(id_prefix, name), name, due_at + tonumber(window)) end
    return remember(slot, number, not_after, 'RESCHEDULED ' .. text(due_at))
  end
end
return remember(slot, number, not_after, known and 'ALREADY_DELIVERED' or 'NOT_FOUND')
