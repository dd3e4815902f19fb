-- Read queues of an ordered group under their leases: what was left pending (from `after`), or new entries, and pages of parked
-- keys. A lease is checked in the same step: a late owner cannot swallow anything. An entry behind `seen` whose key is
-- parked joins the parked ones instead. All streams have equal shares of what is asked for: no backlog keeps retries, parked
-- keys that are ready, or another queue from being read.
-- KEYS: owners, notes, then of each queue: stream, retry stream, parked keys, members, kept messages, bell. ARGV: group, max, then of
-- each queue: lease, 'again' when a reply may have been lost (then pages that are out come once more), and of both streams
-- field prefix, after, seen.
-- Returns of each queue 'LOST', or {stream, retry stream, entries of pages, notes of these, last id of the bell}; of each
-- stream {entries, `<crashes>@<fence>` of each, entries read, last id}, or {} when it was not read.
local owners, notes = unpack(KEYS)
local group, max = unpack(ARGV)
local keys, args = KEYS, ARGV
-- Each costs the server some 10 µs, and nobody gets anything for it: so many bound the time of a call.
local MOST_JOINED = 128
local room, joined = tonumber(max), 0

local function take_pages(lane, source, count)
  local p, paged = lane.p, lane.reply[3]
  lane.has_paged = true
  lane.reply[5] = last_of(p.bell)
  if not lane.has_parked then return end
  for _, member in ipairs(pages(p, tonumber(lane.epoch), count, lane.again, paged)) do
    table.insert(lane.reply[4], note_of(notes, lane.epoch, 'p' .. string.sub(source.prefix, 2) .. member))
  end
  room = room - #paged
end

-- Whether more can be had at once. What was left pending comes before anything else of its queue.
local function read_some(source, count)
  local lane, is_new = source.lane, source.after == '>'
  if lane.is_adopting then return false end
  lane.is_adopting = not is_new
  local reply = redis.call('XREADGROUP', 'GROUP', group, 'o', 'COUNT', count, 'STREAMS', source.key, source.after)
  local read = reply and reply[1] and reply[1][2] or {}
  local part = lane.reply[source.place]
  if not part[1] then part[1], part[2], part[3] = {}, {}, 0 end
  local entries, known = part[1], part[2]
  local filled, joining = #entries, {}
  for _, entry in ipairs(read) do
    local okey = lane.has_parked and parked_key(lane, source, entry[1], entry[2])
    if okey then
      joining[#joining + 1] = { entry[1], entry[2], okey }
    else
      filled = filled + 1
      entries[filled], known[filled] = entry, is_new and fresh or entry_note(notes, lane, source, entry[1])
      room = room - 1
    end
  end
  join_parked(notes, group, lane, source, joining)
  joined = joined + #joining
  part[3] = part[3] + #read
  part[4] = #read > 0 and read[#read][1] or part[4] or last_of(source.key)
  if source.place == 2 and is_new and not lane.has_paged then take_pages(lane, source, count) end
  return is_new and #read == count and joined < MOST_JOINED
end

local answer, open = {}, {}
for number = 0, (#keys - 2) / 6 - 1 do
  local k, a = 2 + 6 * number, 2 + 8 * number
  local lane = lane_of(owners, args[a + 1], args[a + 2], parked_places(keys, k + 3, args[a + 1]))
  answer[number + 1] = lane and lane.reply or 'LOST'
  for place = 1, lane and 2 or 0 do
    local prefix, after, seen = unpack(args, a + 3 * place, a + 3 * place + 2)
    open[#open + 1] = { lane = lane, place = place, key = keys[k + place], prefix = prefix, after = after, seen = seen }
  end
end
while room > 0 and #open > 0 do
  local more = {}
  for place, source in ipairs(open) do
    if room < 1 then break end
    if read_some(source, math.ceil(room / (#open - place + 1))) then more[#more + 1] = source end
  end
  open = more
end
return answer
