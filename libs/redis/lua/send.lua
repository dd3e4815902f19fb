-- Append or schedule a frozen batch of messages of one shard. A business key that is known stores nothing and answers
-- with the first message. Returns 'OK' when every message was simply appended, else 'OK' and a JSON list of
-- [index, 'SCHEDULED', due] | [index, 'DUPLICATE', first id, due, 'half' or '', queue] | [index, 'CONFLICT', first id] |
-- [index, 'FULL']; or 'NO_TOPIC' | 'STALE'. The prelude unbounded.lua, or as `send-bounded` bounded.lua, comes before.
local slot, meta = unpack(KEYS)
local number, not_after, window = unpack(ARGV, 1, 3)
window = tonumber(window)
local keys, args = KEYS, ARGV

local before = replay(slot, number, not_after)
if before then return before end
if redis.call('EXISTS', meta) == 0 then return 'NO_TOPIC' end

local notes = {}
local function note(...) notes[#notes + 1] = { ... } end

-- A record reads `digest|bucket, - or h (half)|queue|first id`.
local function duplicate(index, known, digest, dz)
  local first, bucket, queue, id = string.match(known, '^(%x*)|([%dh-]+)|(%d+)|(.*)$')
  if first ~= digest then return note(index, 'CONFLICT', id) end
  local due = tonumber(bucket) and redis.call('ZSCORE', dz, id)
  note(index, 'DUPLICATE', id, due and text(tonumber(due)) or bucket == 'h' and 'half' or '', queue)
end

-- A message that is delayed or keyed. `stream`, `dz` (zset of its bucket, the hash follows) and `record` (bucket of its record, '' =
-- none) are positions in KEYS; due is '', '+delay' or an instant.
local function place(index, stream, dz, bucket, queue, due, record, name, digest, id, tag, okey, envelope, body)
  local records, known, stored = keys[tonumber(record)], nil, nil
  if records then known, stored = read_record(records, name) end
  if known then
    redis.call('HSET', records, name, stored) -- written on purpose, see token.lua
    return duplicate(index, known, digest, keys[tonumber(dz)])
  end
  local due_at = tonumber(due)
  if string.sub(due, 1, 1) == '+' then due_at = now_ms() + due_at end
  local ready = not due_at or due_at <= now_ms()
  if ready and not has_room() then return note(index, 'FULL') end
  if ready then
    bucket = '-'
    append(keys[tonumber(stream)], id, tag, okey, envelope, body)
  else
    redis.call('ZADD', keys[tonumber(dz)], text(due_at), id)
    redis.call('HSET', keys[tonumber(dz) + 1], id, cmsgpack.pack({ queue, '', tag, okey, envelope, body, name }))
    note(index, 'SCHEDULED', text(due_at))
  end
  if records then
    local till = (ready and now_ms() or due_at) + window
    keep_record(records, name, digest .. '|' .. bucket .. '|' .. queue .. '|' .. id, till)
  end
end

-- Per message: stream, header, body; one that is delayed or keyed: `x`, then what `place` takes.
local at, index = FIRST, -1
while at <= #args do
  index = index + 1
  if args[at] == 'x' then
    place(index, unpack(args, at + 1, at + 13))
    at = at + 14
  else
    local stream, header, body = unpack(args, at, at + 2)
    if has_room() then
      redis.call('XADD', keys[tonumber(stream)], '*', header, body)
    else
      note(index, 'FULL')
    end
    at = at + 3
  end
end
make_room()
return remember(slot, number, not_after, #notes == 0 and 'OK' or 'OK' .. cjson.encode(notes))
