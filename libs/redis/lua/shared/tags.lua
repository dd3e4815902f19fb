-- Tags that members of the group take, each with the ms of the latest sign of life. A registration outlives its member
-- by an hour, so that what is not for us is not acked while whoever wants it is away. `tags` is a JSON list.
local TAGS_LIVE_MS = 3600000

local function register(registered, tags, now)
  redis.call('ZREMRANGEBYSCORE', registered, '-inf', text(now - TAGS_LIVE_MS))
  for _, tag in ipairs(cjson.decode(tags)) do redis.call('ZADD', registered, text(now), tag) end
  redis.call('PEXPIRE', registered, TAGS_LIVE_MS)
end

local function is_registered(registered, tag)
  return redis.call('ZSCORE', registered, '*') or tag ~= '' and redis.call('ZSCORE', registered, tag)
end
