-- The declared groups of a topic that have a position in its streams: name → mode.
local function declared_groups(meta)
  local groups, fields = {}, redis.call('HGETALL', meta)
  for at = 1, #fields, 2 do
    local name = string.match(fields[at], '^group:(.*)$')
    local spec = name and cjson.decode(fields[at + 1])
    -- A broadcast group has no position in the streams and holds nothing back.
    if spec and spec.mode ~= 'broadcast' then groups[name] = spec.mode end
  end
  return groups
end
