-- Claim keys of idempotent listeners. KEYS: meta, buckets. ARGV: group, then of each lease ms, ttl ms, fence, message id,
-- name.
-- Returns of each {'GRANTED'}, {'BUSY', ms left} or {'DONE', message id, result}. Repeating it is harmless: the same
-- hand-over gets the same answer. A copy that arrives late can hold a key for one lease, against other messages only.
local meta, group, keys, args = KEYS[1], ARGV[1], KEYS, ARGV
go_on_when_full(meta)
local now = now_ms()
local replayed = tonumber(redis.call('HGET', meta, 'replayed:' .. group) or '0')
local answers = {}
for index = 1, #keys - 1 do
  local bucket, lease, ttl, fence, id, name = keys[index + 1], unpack(args, 5 * index - 3, 5 * index + 1)
  local record = read_record(bucket, name)
  local till, held, holder = read_claim(record)
  local at, did, by, result = read_done(record)
  local is_replayed = by == id and at <= replayed and tonumber(fence) > did
  if by and not is_replayed then
    answers[index] = { 'DONE', by, result }
  elseif holder and till > now and (holder ~= id or tonumber(fence) < held) then
    answers[index] = { 'BUSY', text(till - now) }
  else
    put_claim(bucket, name, lease, ttl, fence, id)
    answers[index] = { 'GRANTED' }
  end
end
return answers
