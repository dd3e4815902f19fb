-- A message on a stream is one field: its header is the name, its body the value; on a retry stream a second, `r`, is its
-- retry state. Every part of an entry costs whoever reads it, and the name of a field is one (decision 0017).
-- The header: message id, tag and the length of the ordering key, each ended by a line feed, then the ordering key and the
-- envelope.
local function header_of(id, tag, okey, envelope) return id .. '\n' .. tag .. '\n' .. #okey .. '\n' .. okey .. envelope end

local function append(stream, id, tag, okey, envelope, body, state)
  local header = header_of(id, tag, okey, envelope)
  if state then return redis.call('XADD', stream, '*', header, body, 'r', state) end
  redis.call('XADD', stream, '*', header, body)
end

-- id, tag, ordering key, envelope; nothing of an entry that is not ours.
local function read_header(fields)
  local id, tag, length, rest = string.match(fields[1], '^([^\n]*)\n([^\n]*)\n(%d+)\n()')
  if id then return id, tag, string.sub(fields[1], rest, rest + length - 1), string.sub(fields[1], rest + length) end
end

-- '' for an entry that is not ours as well.
local function ordering_key(fields)
  local length, rest = string.match(fields[1], '^[^\n]*\n[^\n]*\n(%d+)\n()')
  return length and string.sub(fields[1], rest, rest + length - 1) or ''
end
