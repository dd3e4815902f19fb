-- Read the parked keys of one queue, those that wait for an operator first. Reads only. KEYS: parked keys, members, kept
-- messages, bell. ARGV: offset, limit. Returns for each: key, 'waiting' | 'running' | 'exhausted', ms until it is
-- due ('' = no such time), since, messages, id of the first one, its reason, state and text.
local keys, members, kept, bell = unpack(KEYS)
local offset, limit = unpack(ARGV)
local p = { keys = keys, members = members, kept = kept, bell = bell }
local now = now_ms()
local found = {}
local rows = redis.call('ZREVRANGE', p.keys, offset, offset + limit - 1, 'WITHSCORES')
for at = 1, #rows, 2 do
  local okey, score = rows[at], tonumber(rows[at + 1])
  local first = first_members(p, okey, 1)[1]
  local since = key_note(p, okey)
  local message = first and redis.call('HGET', p.kept, first)
  local _, id, _, _, _, _, reason, state, why = unpack(message and cmsgpack.unpack(message) or { '', '', '', '', '', '', '', '', '' })
  local word = score >= EXHAUSTED and 'exhausted' or score >= TAKEN and 'running' or 'waiting'
  local due = score < READY and text(math.max(score - now, 0)) or score == READY and '0' or ''
  local count = redis.call('ZLEXCOUNT', p.members, '[' .. key_name(okey), '(' .. #okey .. ':' .. okey .. ';')
  found[#found + 1] = { okey, word, due, since, text(count), id, reason, state, why }
end
return found
