-- Records that end each at an instant of its own. They are fields of many small hashes, the buckets: name → `<end>|<content>`. As
-- a key each, a million that end together stop the server while it clears them away (decision 0014).
-- One holds while its end lies ahead, whatever else is there: whoever reads it compares. Ended ones are cleared in passing.
-- A bucket lives at least until the latest end in it, and is never shortened. While one without end is in it (its message is
-- half), it has none itself, and the field `endless` says `<how many>:<latest end of the others>`.
local SPREAD_MS, BUCKETS, ENDLESS = 60000, 4096, 'endless'

-- What it says, if it holds; then what is stored.
local function read_record(bucket, name)
  local stored = redis.call('HGET', bucket, name)
  local till, content = string.match(stored or '', '^(%d*)|(.*)$')
  if content and (till == '' or tonumber(till) > now_ms()) then return content, stored end
end

local function endless_of(bucket)
  local count, latest = string.match(redis.call('HGET', bucket, ENDLESS) or '', '^(%d+):(%d+)$')
  return tonumber(count), tonumber(latest)
end

local function note_endless(bucket, count, latest)
  redis.call('HSET', bucket, ENDLESS, text(count) .. ':' .. text(latest))
end

-- Longer than needed, each by its number: buckets whose records end in one instant do not go in one, and few writes of a
-- steady stream have to prolong it.
local function live_until(bucket, till)
  local share = (tonumber(string.match(bucket, '%d+$')) + 1) / BUCKETS
  redis.call('PEXPIREAT', bucket, text(math.floor(till + share * SPREAD_MS)))
end

-- Two for each one that is written: under steady traffic no more than half of what is there has ended.
local function clear_ended(bucket)
  local some = redis.call('HRANDFIELD', bucket, 2, 'WITHVALUES')
  for at = 1, #some, 2 do
    local till = tonumber(string.match(some[at + 1], '^(%d+)|'))
    if till and till <= now_ms() then redis.call('HDEL', bucket, some[at]) end
  end
end

-- Writes one, in the place of another that has an end or of none. The first write is one that may be refused for memory.
local function keep_record(bucket, name, content, till)
  local ends = redis.call('PEXPIRETIME', bucket) -- -1: without end, -2: not there
  redis.call('HSET', bucket, name, text(till) .. '|' .. content)
  local count, latest
  if ends == -1 then count, latest = endless_of(bucket) end
  if count then
    if latest < till then note_endless(bucket, count, till) end
  elseif ends < till then
    live_until(bucket, till)
  end
  clear_ended(bucket)
end

-- Writes one that holds until it is dropped.
local function keep_endless(bucket, name, content)
  local count, latest = endless_of(bucket)
  if not count then count, latest = 0, math.max(0, redis.call('PEXPIRETIME', bucket)) end
  redis.call('HSET', bucket, name, '|' .. content)
  note_endless(bucket, count + 1, latest)
  redis.call('PERSIST', bucket)
end

local function prolong_record(bucket, name, till)
  local content = string.match(redis.call('HGET', bucket, name) or '', '^%d+|(.*)$')
  if content then keep_record(bucket, name, content, till) end
end

local function drop_record(bucket, name)
  local stored = redis.call('HGET', bucket, name)
  if not stored then return end
  redis.call('HDEL', bucket, name)
  if string.sub(stored, 1, 1) ~= '|' then return end
  local count, latest = endless_of(bucket)
  if (count or 1) > 1 then return note_endless(bucket, count - 1, latest) end
  redis.call('HDEL', bucket, ENDLESS)
  live_until(bucket, math.max(latest or 0, now_ms()))
end
