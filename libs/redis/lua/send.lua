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

local now -- asked of the server only when a message needs it
local notes = {}
local function note(...) notes[#notes + 1] = { ... } end

-- A record reads `digest|bucket, - or h (half)|queue|first id`.
local function duplicate(index, known, digest, dz)
  local first, bucket, queue, id = string.match(known, '^(%x*)|([%dh-]+)|(%d+)|(.*)$')
  if first ~= digest then return note(index, 'CONFLICT', id) end
  local due = tonumber(bucket) and redis.call('ZSCORE', dz, id)
  note(index, 'DUPLICATE', id, due and text(tonumber(due)) or bucket == 'h' and 'half' or '', queue)
end

-- Per message: stream (index of its key), the five fields. Before that of a message that is delayed or keyed: `x`; and
-- after its stream: dz (index of its bucket's zset, the hash follows), bucket, queue, due ('' | '+delay' | instant),
-- record (index or ''), record name, digest.
local at, index = FIRST, -1
while at <= #args do
  local stream, dz, bucket, queue, due, record, name, digest = args[at], '', '', '', '', '', '', ''
  if stream == 'x' then
    stream, dz, bucket, queue, due, record, name, digest = unpack(args, at + 1, at + 8)
    at = at + 8
  end
  local id, tag, okey, envelope, body = unpack(args, at + 1, at + 5)
  at, index = at + 6, index + 1
  local known = record ~= '' and read_record(keys[tonumber(record)], name, window)
  if known then
    redis.call('SET', keys[tonumber(record)], known, 'KEEPTTL') -- written on purpose, see token.lua
    duplicate(index, known, digest, keys[tonumber(dz)])
  else
    local due_at
    if due ~= '' then
      now = now or now_ms()
      due_at = string.sub(due, 1, 1) == '+' and now + tonumber(due) or tonumber(due)
    end
    local ready = not due_at or due_at <= now
    local full = ready and not has_room()
    if full then
      note(index, 'FULL')
    elseif ready then
      bucket = '-'
      redis.call('XADD', keys[tonumber(stream)], '*', 'i', id, 't', tag, 'o', okey, 'm', envelope, 'b', body)
    else
      redis.call('ZADD', keys[tonumber(dz)], text(due_at), id)
      redis.call('HSET', keys[tonumber(dz) + 1], id, cmsgpack.pack({ queue, '', tag, okey, envelope, body, name }))
      note(index, 'SCHEDULED', text(due_at))
    end
    if record ~= '' and not full then
      local wait = ready and 0 or due_at - now
      keep_record(keys[tonumber(record)], name, digest .. '|' .. bucket .. '|' .. queue .. '|' .. id, window, wait)
    end
  end
end
make_room()
return remember(slot, number, not_after, #notes == 0 and 'OK' or 'OK' .. cjson.encode(notes))
