-- Start the leases of these deliveries anew, those that are still this consumer's. Returns the indexes that are not.
-- KEYS: the queue owners, then the streams, then (ordered) the parked keys of each, as of settle.lua. ARGV after the leases of
-- the streams: stream and field of each.
local owners = unpack(KEYS)
local group, consumer, streams = unpack(ARGV, 1, 3)
local keys, args = KEYS, ARGV
local lost, claims = {}, {}
for at = 4 + tonumber(streams), #args, 2 do
  local stream, field = tonumber(args[at]), args[at + 1]
  local key, lease = keys[1 + stream], args[3 + stream]
  local p = parked_places(keys, 2 + streams + 4 * (stream - 1), lease)
  if held(p, owners, lease, key, group, consumer, field) then
    -- In ordered mode the lease of the queue is the lease of the delivery.
    if lease == '' then
      claims[stream] = claims[stream] or { key, group, consumer, '0' }
      table.insert(claims[stream], (string.match(field, ':(.*)$')))
    end
  else
    lost[#lost + 1] = (at - 4 - tonumber(streams)) / 2
  end
end
for _, claim in pairs(claims) do
  table.insert(claim, 'JUSTID')
  redis.call('XCLAIM', unpack(claim))
end
return lost
