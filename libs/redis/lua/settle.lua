-- End deliveries, if they are still this consumer's: ack | skip:<tag> | expire | retry | release | dead | park | follow |
-- wake. After the word of the first three `*`: the entry has a note of its own (see note-started.lua), which goes with it;
-- or `>` and a key follows: others of that key were parked behind it. A skip is refused when a member of the group has
-- registered the tag: it stays ours, to be handed back. A delivery that is not ours is left alone: its new owner decides.
-- KEYS after the fixed ones: the streams, then (ordered) of each: parked keys, members, kept messages, bell.
-- Returns 'SETTLED', or 'LOST', the indexes that were not ours, 'WANTED', the indexes that were refused.
local slot, meta, notes, owners, waiting, payloads, retries, dead, letters, untold, registered = unpack(KEYS)
local number, not_after, group, consumer, streams = unpack(ARGV, 1, 5)
local keys, args = KEYS, ARGV

local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(slot) -- settling must always be possible

local now = now_ms()
local bare = { ack = true, skip = true, expire = true } -- no message follows the verdict
local lost, wanted, counts = {}, {}, {}
local function count(what) counts[what] = (counts[what] or 0) + 1 end

local function come_again(p, field, queue, delay, id, tag, okey, envelope, body, state)
  if delay == '0' and not p then
    return append(retries, id, tag, okey, envelope, body, state)
  end
  local name = free_name(payloads, id, field)
  redis.call('HSET', payloads, name, cmsgpack.pack({ queue, id, tag, okey, envelope, body, '', state }))
  redis.call('ZADD', waiting, text(now + tonumber(delay)), name)
end

-- A keyed message of an ordered group goes to the parked ones of its key, at its place.
local function park(p, verdict, member, how, message, epoch)
  local okey = message[4]
  keep(p, okey, member, message, now)
  if verdict == 'park' then return set_state(p, okey, EXHAUSTED) end
  if verdict == 'follow' or verdict == 'wake' then
    if redis.call('ZSCORE', p.keys, okey) then return end
    return set_state(p, okey, verdict == 'wake' and READY or TAKEN + epoch)
  end
  set_state(p, okey, how == '0' and READY or now + tonumber(how))
end

local at, index = 6 + tonumber(streams), 0
while at <= #args do
  local stream, field, said = unpack(args, at, at + 2)
  local verdict, mark, tag = string.match(said, '^(%a+)([%*>]?):?(.*)$')
  local lease, key = args[5 + stream], keys[11 + stream]
  local source, entry = string.match(field, '^(%a)%d+:(.*)$')
  local p = parked_places(keys, 12 + streams + 4 * (stream - 1), lease)
  local mine, member = held(p, owners, lease, key, group, consumer, field)
  field = mine or field
  if not mine then
    lost[#lost + 1] = index
  elseif verdict == 'skip' and is_registered(registered, tag) then
    wanted[#wanted + 1] = index
  else
    if mark ~= '' or not bare[verdict] then redis.call('HDEL', notes, field) end
    if member then drop(p, member) else redis.call('XACK', key, group, entry) end
    if verdict ~= 'follow' and verdict ~= 'wake' then count(verdict) end
    if bare[verdict] and (member or mark == '>') then go_on(p, member and okey_of(member) or args[at + 3]) end
  end
  if not bare[verdict] and mine then
    -- queue, delay or reason, the five fields, state, why
    local queue, how, id, tag, okey, envelope, body, state, why = unpack(args, at + 3, at + 11)
    if verdict == 'dead' then
      bury(dead, letters, untold, now, field, { queue, id, tag, okey, envelope, body, how, state, why })
      if p and okey ~= '' and redis.call('ZSCORE', p.keys, okey) then go_on(p, okey) end
    elseif p and okey ~= '' then
      local message = { queue, id, tag, okey, envelope, body, verdict == 'park' and how or '', state, why }
      park(p, verdict, member or member_of(okey, entry, source), how, message, string.match(lease, '%d+$'))
    else
      come_again(p, field, queue, how, id, tag, okey, envelope, body, state)
    end
  end
  at, index = at + (not bare[verdict] and 12 or mark == '>' and 4 or 3), index + 1
end
for what, many in pairs(counts) do redis.call('HINCRBY', meta, what .. ':' .. group, many) end
if #lost + #wanted == 0 then return remember(slot, number, not_after, 'SETTLED') end
return remember(slot, number, not_after, 'LOST ' .. table.concat(lost, ' ') .. ' WANTED ' .. table.concat(wanted, ' '))
