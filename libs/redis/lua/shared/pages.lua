-- What an owner gets of parked keys: the first messages of each, in order. One that was tried before comes alone: while
-- it fails, those behind it would travel in vain.
local PAGE, PAGE_BYTES, CALL_BYTES = 64, 256 * 1024, 1024 * 1024

-- Adds one message to `found`, as an entry of a stream; its id says which hand-over this is.
local function add_member(p, takes, member, found)
  local _, id, tag, okey, envelope, body, _, state = unpack(cmsgpack.unpack(redis.call('HGET', p.kept, member)))
  local fields = { header_of(id, tag, okey, envelope), body }
  if state ~= '' then fields[3], fields[4] = 'r', state end
  found[#found + 1] = { takes .. ':' .. member, fields }
  return #envelope + #body, state ~= ''
end

local function take_page(p, okey, epoch, found, names)
  local since, takes = key_note(p, okey)
  local bytes, last = 0, nil
  for _, member in ipairs(first_members(p, okey, PAGE)) do
    local size, tried = add_member(p, takes + 1, member, found)
    if last and (tried or bytes + size > PAGE_BYTES) then
      found[#found] = nil
      break
    end
    names[#names + 1] = member
    bytes, last = bytes + size, member
    if tried then break end
  end
  redis.call('ZADD', p.keys, text(TAKEN + epoch), okey)
  note_key(p, okey, since, takes + 1, last and string.sub(last, #key_name(okey) + 1) or '')
  return bytes
end

-- Pages of up to `most` keys that are ready, or that an older epoch had taken. Fills `found`; returns the members' names.
local function pages(p, epoch, most, again, found)
  local names, bytes = {}, 0
  local mine = text(TAKEN + epoch)
  if again == 'again' then
    for _, okey in ipairs(redis.call('ZRANGEBYSCORE', p.keys, mine, mine)) do
      local _, takes, page = key_note(p, okey)
      local range = { p.members, '[' .. key_name(okey), '[' .. key_name(okey) .. page }
      for _, member in ipairs(page == '' and {} or redis.call('ZRANGEBYLEX', unpack(range))) do
        add_member(p, takes, member, found)
        names[#names + 1] = member
      end
    end
  end
  for _, okey in ipairs(redis.call('ZRANGEBYSCORE', p.keys, text(READY), '(' .. mine, 'LIMIT', 0, most)) do
    bytes = bytes + take_page(p, okey, epoch, found, names)
    if bytes > CALL_BYTES then break end
  end
  return names
end
