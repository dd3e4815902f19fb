-- Take a message that is still scheduled out of the delay store, and free its business key. Final, also when asked
-- twice by one call. Returns 'CANCELLED', 'ALREADY_DELIVERED' (a record exists, nothing is scheduled), 'HALF' or 'NOT_FOUND'.
local slot, meta, halves, records = unpack(KEYS)
local number, not_after, id_prefix, message_id, record = unpack(ARGV)

local before = replay(slot, number, not_after)
if before then return before end

local known = read_record(records, record)
local id = message_id
if id == '' and known then id = string.match(known, '^%x*|[%dh-]+|%d+|(.*)$') end
if id ~= '' and redis.call('HEXISTS', halves, id) == 1 then return remember(slot, number, not_after, 'HALF') end
local buckets = { unpack(KEYS, 5) }
for at = 1, #buckets, 2 do
  local payload = id ~= '' and redis.call('HGET', buckets[at + 1], id)
  if payload then
    redis.call('ZREM', buckets[at], id)
    redis.call('HDEL', buckets[at + 1], id)
    local name = cmsgpack.unpack(payload)[7]
    if name ~= '' then drop_record(record_key(id_prefix, name), name) end
    redis.call('HINCRBY', meta, 'cancelled', 1)
    return remember(slot, number, not_after, 'CANCELLED')
  end
end
return remember(slot, number, not_after, known and 'ALREADY_DELIVERED' or 'NOT_FOUND')
