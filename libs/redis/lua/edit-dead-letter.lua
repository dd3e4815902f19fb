-- Put a changed message in the place of a dead letter that is still as it was read. Id, ordering key, reason and time stay.
-- KEYS: slot, dead letters by name. Returns 'EDITED', 'CHANGED' (somebody else edited it, or it died anew) or 'GONE'.
local slot, letters = unpack(KEYS)
local number, not_after, name, revision, tag, envelope, body, state = unpack(ARGV)
local before = replay(slot, number, not_after)
if before then return before end
local letter = redis.call('HGET', letters, name)
if not letter then return remember(slot, number, not_after, 'GONE') end
if redis.sha1hex(letter) ~= revision then return remember(slot, number, not_after, 'CHANGED') end
local kept = cmsgpack.unpack(letter)
kept[3], kept[5], kept[6], kept[8] = tag, envelope, body, state
redis.call('HSET', letters, name, cmsgpack.pack(kept))
return remember(slot, number, not_after, 'EDITED')
