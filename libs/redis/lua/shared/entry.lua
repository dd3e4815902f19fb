-- A message on a stream has two fields: `h`, its header, and `b`, its body; on a retry stream a third, `r`, its retry state.
-- The header: message id, tag and the length of the ordering key, each ended by a line feed, then the ordering key and the
-- envelope. Every field costs whoever reads it, so there is not one for each of them (decision 0015).
local function header_of(id, tag, okey, envelope) return id .. '\n' .. tag .. '\n' .. #okey .. '\n' .. okey .. envelope end

local function append(stream, id, tag, okey, envelope, body, state)
  local header = header_of(id, tag, okey, envelope)
  if state then return redis.call('XADD', stream, '*', 'h', header, 'b', body, 'r', state) end
  redis.call('XADD', stream, '*', 'h', header, 'b', body)
end

-- id, tag, ordering key, envelope; nothing of an entry that is not ours.
local function read_header(fields)
  local header = fields[1] == 'h' and fields[2] or ''
  local id, tag, length, rest = string.match(header, '^([^\n]*)\n([^\n]*)\n(%d+)\n(.*)$')
  if id then return id, tag, string.sub(rest, 1, tonumber(length)), string.sub(rest, tonumber(length) + 1) end
end
