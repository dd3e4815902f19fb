-- Parked keys of one queue of an ordered group (docs/ordering.md). `p` names their places: `keys`, zset, ordering key →
-- state; `members`, zset of `<key name><entry>`, in order of the entries; `kept`, hash, member → packed message, and key
-- name → `<since> <takes> <last entry of the page>`; `bell`, a stream of one entry that its owner waits for.
-- A state is a score: the due ms of a key that waits, or one of these. TAKEN + epoch: an owner of that epoch has it.
local READY, TAKEN, EXHAUSTED = 2e14, 1e15, 4e15

-- The length in front keeps keys apart, whatever a user puts into them.
local function key_name(okey) return #okey .. ':' .. okey .. ':' end

local function okey_of(member)
  local length, rest = string.match(member, '^(%d+):(.*)$')
  return string.sub(rest, 1, tonumber(length))
end

-- Padded, so that lexical order is the order of the entries; the mark (q or r) tells streams with equal ids apart.
local function member_of(okey, entry, mark)
  local ms, seq = string.match(entry, '^(%d+)-(%d+)$')
  return key_name(okey) .. string.rep('0', 16 - #ms) .. ms .. '-' .. string.rep('0', 20 - #seq) .. seq .. mark
end

local function first_members(p, okey, count)
  local name = key_name(okey)
  return redis.call('ZRANGEBYLEX', p.members, '[' .. name, '(' .. #okey .. ':' .. okey .. ';', 'LIMIT', 0, count)
end

local function key_note(p, okey)
  local since, takes, page = string.match(redis.call('HGET', p.kept, key_name(okey)) or '0 0 ', '^(%d+) (%d+) (.*)$')
  return since, tonumber(takes), page
end

local function note_key(p, okey, since, takes, page)
  redis.call('HSET', p.kept, key_name(okey), since .. ' ' .. takes .. ' ' .. page)
end

-- Without its place among the members, for a key that is parked already. A copy that is there stays: it may carry the state of a
-- later attempt.
local function keep_copy(p, member, message) redis.call('HSETNX', p.kept, member, cmsgpack.pack(message)) end

local function keep(p, okey, member, message, now)
  redis.call('HSETNX', p.kept, key_name(okey), text(now) .. ' 0 ')
  redis.call('ZADD', p.members, 0, member)
  keep_copy(p, member, message)
end

local function drop(p, member)
  redis.call('ZREM', p.members, member)
  redis.call('HDEL', p.kept, member)
end

-- The page that was out ends with a change of state; a key that is ready rings for its owner.
local function set_state(p, okey, score)
  local since, takes = key_note(p, okey)
  note_key(p, okey, since, takes, '')
  redis.call('ZADD', p.keys, text(score), okey)
  if score == READY then redis.call('XADD', p.bell, 'MAXLEN', 1, '*', 'w', '') end
end

-- Something of the key has ended: the rest of its page is still out, or the next page is due, or it is like any other key.
local function go_on(p, okey)
  local first = first_members(p, okey, 1)[1]
  if not first then
    redis.call('ZREM', p.keys, okey)
    redis.call('HDEL', p.kept, key_name(okey))
    return
  end
  local _, _, page = key_note(p, okey)
  if page == '' or string.sub(first, #key_name(okey) + 1) > page then set_state(p, okey, READY) end
end

-- The member of a delivery `p<queue>:<take>:<member>` if its key is still out under this epoch and take, and its note.
local function taken_member(p, lease, field)
  local queue, take, member = string.match(field, '^p(%d+):(%d+):(.*)$')
  local okey = okey_of(member)
  local _, takes = key_note(p, okey)
  local epoch = tonumber(string.match(lease, '%d+$'))
  local out = tonumber(redis.call('ZSCORE', p.keys, okey) or 0) == TAKEN + epoch and takes == tonumber(take)
  local known = out and redis.call('HEXISTS', p.kept, member) == 1
  return known and member or nil, 'p' .. queue .. ':' .. member
end
