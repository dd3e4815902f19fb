-- Book starts of handlers by the rate limit of a group (shard 0): evenly spread, at most `HORIZON` ms ahead, and at most
-- a tenth of the limit at once after a lull. KEYS: meta, the next free instant. ARGV: group, max and ms of the limit in
-- the caller's code ('' = none), how many are wanted. Returns {count, ms to the first, ms between two, ms after which to
-- ask again}. Repeating it after a lost reply only leaves starts unused.
local meta, free = unpack(KEYS)
local group, max, per, wanted = unpack(ARGV)
local HORIZON = 200
local stored = redis.call('HGET', meta, 'limits:' .. group)
local rate = stored and cjson.decode(stored).rateLimit
if rate == 'unlimited' or not rate and max == '' then return { wanted, '0', '0', '0' } end
local interval = rate and rate.perMs / rate.max or tonumber(per) / tonumber(max)
local at_once = math.max(1, math.floor(0.1 * (rate and rate.max or tonumber(max))))

local now = now_ms()
local horizon = math.max(HORIZON, interval)
local next_free = tonumber(redis.call('GET', free) or '0')
-- Booked under a slower limit: the faster one need not wait for it.
next_free = math.min(next_free, now + horizon + interval)
next_free = math.max(next_free, now - (at_once - 1) * interval)
local count = 0
if next_free <= now + horizon then
  count = math.min(tonumber(wanted), math.floor((now + horizon - next_free) / interval) + 1)
end
local first = next_free
next_free = next_free + count * interval
redis.call('SET', free, string.format('%.3f', next_free), 'PX', text(math.max(1000, math.ceil(next_free - now) + 1000)))
local again = math.max(next_free - now - horizon, 0) + math.min(horizon / 2, HORIZON / 2)
return { text(count), string.format('%.3f', math.max(first - now, 0)), string.format('%.3f', interval), text(again) }
