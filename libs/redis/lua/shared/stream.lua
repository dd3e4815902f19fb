-- What the server knows of a stream without reading it. One that does not exist was never added to.
local function stream_facts(stream)
  local facts = { length = 0, added = 0, first = '0-0', last = '0-0' }
  if redis.call('EXISTS', stream) == 0 then return facts end
  local names = {
    length = 'length', ['entries-added'] = 'added', ['last-generated-id'] = 'last', ['recorded-first-entry-id'] = 'first',
  }
  local row = redis.call('XINFO', 'STREAM', stream)
  for at = 1, #row, 2 do
    local name = names[row[at]]
    if name then facts[name] = row[at + 1] end
  end
  return facts
end
