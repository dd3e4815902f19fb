-- Acknowledge deliveries that ask for nothing else, as most do; settle.lua ends the others. A delivery that is not ours is left
-- alone: its new owner decides.
-- Start marks may come along: they left for the sake of handlers that start now, and save a call of their own.
-- KEYS after the slot, the topic, the notes and the queue owners: the streams. ARGV after the consumer: the number of arguments that
-- are marks, these, then of each stream its lease, its field prefix (ordered: each entry has a note of its own, which goes
-- with it; else both are '') and its entries, in their order. Returns as settle.lua does.
local slot, meta, notes, owners = unpack(KEYS)
local number, not_after, group, consumer, marks = unpack(ARGV, 1, 5)
local keys, args = KEYS, ARGV

local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(slot) -- as in settle.lua
mark_started(notes, args, 6, 5 + marks)

local index, done, lost = 0, 0, {}
local at = 6 + marks
for stream = 5, #keys do
  local key, entries, mine, noted = keys[stream], {}, {}, {}
  local lease, prefix, text_of_entries = unpack(args, at, at + 2)
  for entry in string.gmatch(text_of_entries, '%S+') do entries[#entries + 1] = entry end
  local found = lease_holds(owners, lease) and owned(key, group, consumer, entries) or {}
  local last = nil
  for _, entry in ipairs(entries) do
    -- The same one again was settled by this very call.
    if found[entry] and entry ~= last then
      mine[#mine + 1], noted[#noted + 1] = entry, prefix .. entry
    else
      lost[#lost + 1] = index
    end
    index, last = index + 1, entry
  end
  if #mine > 0 then redis.call('XACK', key, group, unpack(mine)) end
  if #mine > 0 and lease ~= '' then redis.call('HDEL', notes, unpack(noted)) end
  done, at = done + #mine, at + 3
end
if done > 0 then redis.call('HINCRBY', meta, 'ack:' .. group, done) end
if #lost == 0 then return remember(slot, number, not_after, 'SETTLED') end
return remember(slot, number, not_after, 'LOST ' .. table.concat(lost, ' ') .. ' WANTED ')
