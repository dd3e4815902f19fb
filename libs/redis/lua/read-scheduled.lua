-- Read the message that waits under an id, or under a business key, with its body. KEYS: record, then zset and hash of each
-- bucket it may lie in. ARGV: message id, or '' for the one that the record names. Returns {ms, id, tag, ordering key, envelope,
-- body}, or 'NONE'.
local record = unpack(KEYS)
local id = unpack(ARGV)
if id == '' then id = string.match(redis.call('GET', record) or '', '^%x*|[%d-]+|%d+|(.*)$') or '' end
local buckets = { unpack(KEYS, 2) }
for at = 1, #buckets, 2 do
  local payload = id ~= '' and redis.call('HGET', buckets[at + 1], id)
  if payload then
    local _, _, tag, okey, envelope, body = unpack(cmsgpack.unpack(payload))
    return { redis.call('ZSCORE', buckets[at], id) or '0', id, tag, okey, envelope, body }
  end
end
return 'NONE'
