-- Entries of a stream start in their order, so one mark per consumer and stream, `up to this id`, says of all of them that
-- their handlers have started: what comes late changes nothing. Fields and ids take turns between `from` and `to`.
local function mark_started(notes, args, from, to)
  for at = from, to, 2 do
    local field, id = args[at], args[at + 1]
    local latest = redis.call('HGET', notes, field)
    if not latest or less(latest, id) then redis.call('HSET', notes, field, id) end
  end
end
