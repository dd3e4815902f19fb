-- How much each declared group still has to do in this shard: unread, leased, parked and waiting for another attempt.
-- `names`: queues (stream names), group (what every key of a group begins with), retries, waiting, parkedMembers (how they
-- go on).
local function streams_of(names, group, mode)
  local streams = { unpack(names.queues) }
  for queue = 0, mode == 'ordered' and #names.queues - 1 or 0 do
    streams[#streams + 1] = names.group .. group .. names.retries .. queue
  end
  return streams
end

-- What a group has not finished of a stream, how many entries it has read and up to which.
local function standing(stream, group)
  local rows = redis.pcall('XINFO', 'GROUPS', stream)
  for _, row in ipairs(rows.err and {} or rows) do
    local info = {}
    for at = 1, #row, 2 do info[row[at]] = row[at + 1] end
    if info.name == group then
      -- The server cannot tell the lag after deletions by hand; then nothing is taken for finished.
      return info.pending + (info.lag or redis.call('XLEN', stream)), info['entries-read'], info['last-delivered-id']
    end
  end
  return 0
end

local function backlog(names, group, mode)
  local total = redis.call('ZCARD', names.group .. group .. names.waiting)
  for _, stream in ipairs(streams_of(names, group, mode)) do
    local unfinished = standing(stream, group)
    total = total + unfinished
  end
  for queue = 0, mode == 'ordered' and #names.queues - 1 or -1 do
    total = total + redis.call('ZCARD', names.group .. group .. names.parkedMembers .. queue)
  end
  return total
end
