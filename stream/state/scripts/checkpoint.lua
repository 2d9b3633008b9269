-- Write what a partition changed, and the offset that goes with it, or nothing at all.
-- KEYS: offset hash, then one hash per block of panes.
-- ARGV: epoch, token, start, next, life of a block (ms), number of offset fields n, n times (field, value),
--       number of counters m, m times (field, increment), then per block: number of panes p, p times (field, value).
-- Returns {"stored"}, {"again"} (this very checkpoint was stored before), {"fenced", epoch} or {"elsewhere", next}.
--
-- One call holds all of a checkpoint: parts written by several calls would, after a kill between two of them, leave
-- panes that already hold events which are read again.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token', 'next')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return {'fenced', held[1] or ''}
end
if held[3] ~= ARGV[3] then
  if held[3] == ARGV[4] then
    return {'again'}
  end
  return {'elsewhere', held[3] or ''}
end

local at = 6
local function pairs_of(key, call)
  local count = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, count do
    redis.call(call, key, ARGV[at], ARGV[at + 1])
    at = at + 2
  end
end

pairs_of(KEYS[1], 'HSET')
pairs_of(KEYS[1], 'HINCRBY')
for i = 2, #KEYS do
  pairs_of(KEYS[i], 'HSET')
  redis.call('PEXPIRE', KEYS[i], ARGV[5])
end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return {'stored'}
