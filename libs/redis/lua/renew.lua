-- Start the leases of these deliveries anew, those that are still this consumer's. Returns the indexes that are not.
-- KEYS: the queue owners, then the streams. ARGV after the leases of the streams: stream and entry of each.
local owners = unpack(KEYS)
local group, consumer, streams = unpack(ARGV, 1, 3)
local keys, args = KEYS, ARGV
local lost, claims = {}, {}
for at = 4 + tonumber(streams), #args, 2 do
  local stream, entry = tonumber(args[at]), args[at + 1]
  if lease_holds(owners, args[3 + stream]) and owns(keys[1 + stream], group, consumer, entry) then
    -- In ordered mode the lease of the queue is the lease of the delivery.
    if args[3 + stream] == '' then
      claims[stream] = claims[stream] or { keys[1 + stream], group, consumer, '0' }
      table.insert(claims[stream], entry)
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
