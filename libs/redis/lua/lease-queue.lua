-- Take or prolong the right to consume one queue. A new owner, and an owner whose lease had run out, gets a higher
-- epoch. Returns {'GRANTED', epoch} or {'HELD', ms until it may be free}.
local owners = unpack(KEYS)
local queue, member, ttl, known_epoch = unpack(ARGV)
local now = now_ms()
local owner, epoch, till = '', 0, 0
local stored = redis.call('HGET', owners, queue)
if stored then
  local o, e, t = string.match(stored, '^(.*)|(%d+)|(%d+)$')
  owner, epoch, till = o, tonumber(e), tonumber(t)
end
if owner ~= member then
  if owner ~= '' and till > now then return { 'HELD', text(till - now) } end
  -- Epochs must not go back even when the store lost its latest writes in a failover.
  epoch = math.max(epoch, tonumber(known_epoch)) + 1
elseif till <= now then
  epoch = epoch + 1
end
go_on_when_full(owners)
redis.call('HSET', owners, queue, member .. '|' .. text(epoch) .. '|' .. text(now + tonumber(ttl)))
return { 'GRANTED', text(epoch) }
