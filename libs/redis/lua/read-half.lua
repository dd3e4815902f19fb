-- What is stored of one half message. Reads only. KEYS: payloads, states. ARGV: id. Returns nothing when there is none, else
-- {routing key, tag, ordering key, envelope, body, producer group, checks, since}.
local payloads, states = unpack(KEYS)
local id = unpack(ARGV)
local state, payload = half_state(states, id), redis.call('HGET', payloads, id)
if not (state and payload) then return false end
local _, _, tag, okey, envelope, body, _, _, _, _, routing = unpack(cmsgpack.unpack(payload))
return { routing, tag, okey, envelope, body, state[1], text(state[2]), state[3] }
