-- What the processes of a group must know: {server ms, members (name, `<ms> <tags>`), registered tags, pause of the
-- topic, of the group, limits}; each of the last three '' or as set-order.lua wrote it. A pause that is over is not given.
local function group_state(meta, live, registered, group, now)
  local function pause(field)
    local stored = redis.call('HGET', meta, field)
    local till = stored and cjson.decode(stored)['until']
    return stored and (not till or till > now) and stored or ''
  end
  return { text(now), redis.call('HGETALL', live), redis.call('ZRANGE', registered, 0, -1), pause('pause'),
    pause('pause:' .. group), redis.call('HGET', meta, 'limits:' .. group) or '' }
end
