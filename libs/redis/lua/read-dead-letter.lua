-- Read one dead letter whole, with a revision that an edit must name. Reads only. Returns {revision, queue, id, tag,
-- ordering key, envelope, body, reason, state, why, ms}, or 'GONE'.
local letters = unpack(KEYS)
local name = unpack(ARGV)
local letter = redis.call('HGET', letters, name)
if not letter then return 'GONE' end
return { redis.sha1hex(letter), unpack(cmsgpack.unpack(letter)) }
