-- Return dead letters to their group's own retry stream: attempt and crashes start anew, generation + 1, history kept.
-- Quarantined after `limit` redrives unless forced; one that died after `till` (ms or '') is left alone. Idempotent: a
-- letter that is gone is passed over.
-- KEYS: slot, dead letters by time, by name, untold ones, retry streams by queue. ARGV after the fixed ones: names. Returns
-- a JSON list of names.
local slot, dead, letters, untold = unpack(KEYS, 1, 4)
local retries = { unpack(KEYS, 5) }
local number, not_after, limit, force, till = unpack(ARGV, 1, 5)
local before = replay(slot, number, not_after)
if before then return before end
local redriven = {}
for _, name in ipairs({ unpack(ARGV, 6) }) do
  local letter = redis.call('HGET', letters, name)
  local died = letter and till ~= '' and redis.call('ZSCORE', dead, name)
  if letter and (till == '' or died and tonumber(died) <= tonumber(till)) then
    local queue, id, tag, okey, envelope, body, _, state = unpack(cmsgpack.unpack(letter))
    local kept = cjson.decode(state)
    if kept.generation < tonumber(limit) or force == 'force' then
      kept.attempt, kept.crashes, kept.generation = 1, 0, kept.generation + 1
      kept.ready = nil -- it becomes ready now: its time to live begins anew
      if #kept.failures == 0 then kept.failures = nil end -- an empty Lua table would be written as an object
      redis.call('HDEL', letters, name)
      redis.call('ZREM', dead, name)
      redis.call('ZREM', untold, name)
      append(retries[queue + 1] or retries[1], id, tag, okey, envelope, body, cjson.encode(kept))
      redriven[#redriven + 1] = name
    end
  end
end
return remember(slot, number, not_after, #redriven == 0 and '[]' or cjson.encode(redriven))
