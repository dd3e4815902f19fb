-- Read the message that waits under an id, or under a business key, with its body. KEYS: bucket of the record, then zset and hash
-- of each bucket it may lie in. ARGV: message id, or '' for the one that the record names; name of the record. Returns {ms, id, tag, ordering key, envelope,
-- body}, or 'NONE'.
local records = unpack(KEYS)
local id, record = unpack(ARGV)
if id == '' then id = string.match(read_record(records, record) or '', '^%x*|[%d-]+|%d+|(.*)$') or '' end
local buckets = { unpack(KEYS, 2) }
for at = 1, #buckets, 2 do
  local payload = id ~= '' and redis.call('HGET', buckets[at + 1], id)
  if payload then
    local _, _, tag, okey, envelope, body = unpack(cmsgpack.unpack(payload))
    return { redis.call('ZSCORE', buckets[at], id) or '0', id, tag, okey, envelope, body }
  end
end
return 'NONE'
