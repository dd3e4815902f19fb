-- Acknowledge deliveries of a concurrent group that ask for nothing else, as most do; settle.lua ends the others. A
-- delivery that is not ours is left alone: its new owner decides.
-- Start marks may come along: they left for the sake of handlers that start now, and save a call of their own.
-- KEYS after the slot, the topic and the notes: the streams. ARGV after the consumer: the number of arguments that are marks,
-- these, then the entries of each stream, in their order. Returns as settle.lua does.
local slot, meta, notes = unpack(KEYS)
local number, not_after, group, consumer, marks = unpack(ARGV, 1, 5)
local keys, args = KEYS, ARGV

local before = replay(slot, number, not_after)
if before then return before end
go_on_when_full(slot) -- as in settle.lua
mark_started(notes, args, 6, 5 + marks)

-- One look at what is pending between the first and the last is a third of the cost of a look for each. Others that
-- are still in hand lie between them: what the page does not reach is looked for alone.
local function pending(key, entries)
  local found = {}
  local rows = redis.pcall('XPENDING', key, group, entries[1], entries[#entries], 2 * #entries, consumer)
  for _, row in ipairs(rows) do found[row[1]] = true end
  return found
end

local index, done, lost = 0, 0, {}
for stream = 4, #keys do
  local key, entries, mine = keys[stream], {}, {}
  for entry in string.gmatch(args[stream + 2 + marks], '%S+') do entries[#entries + 1] = entry end
  local found, last = pending(key, entries), nil
  for _, entry in ipairs(entries) do
    local again = entry == last -- settled by this very call
    local ours = not again and (found[entry] or owns(key, group, consumer, entry))
    if ours then mine[#mine + 1] = entry else lost[#lost + 1] = index end
    index, last = index + 1, entry
  end
  if #mine > 0 then redis.call('XACK', key, group, unpack(mine)) end
  done = done + #mine
end
if done > 0 then redis.call('HINCRBY', meta, 'ack:' .. group, done) end
if #lost == 0 then return remember(slot, number, not_after, 'SETTLED') end
return remember(slot, number, not_after, 'LOST ' .. table.concat(lost, ' ') .. ' WANTED ')
