-- Write what a partition changed, and the offset that goes with it, or nothing at all.
-- KEYS: offset hash, hash of notes for evaluation, then one hash per block of panes.
-- ARGV: epoch, token, start, next, life of a block (ms), number of offset fields n, n times (field, value),
--       number of counters m, m times (field, increment), then per block: number of panes p, what a note of it begins with,
--       length of a pane (ms), p times (field, value).
-- Returns {"stored"}, {"again"} (this very checkpoint was stored before), {"fenced", epoch} or {"elsewhere", next}.
--
-- One call holds all of a checkpoint: parts written by several calls would, after a kill between two of them, leave
-- panes that already hold events which are read again.
--
-- Evaluation is left a note of each pane that it may not have seen: one stored here for the first time, and one that
-- evaluation had sealed (it may have read it already).  Such a revision is also counted, so that polling sees it.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token', 'next', 'sealed')
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

local sealed = held[4] and tonumber(held[4])
local revisions = 0
local function panes_of(key)
  local count, note, length = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2])
  at = at + 3
  for _ = 1, count do
    local field = ARGV[at]
    local new = redis.call('HSET', key, field, ARGV[at + 1]) == 1
    local revised = sealed and tonumber(string.match(field, '^%-?%d+')) + length <= sealed
    if new or revised then
      redis.call('HINCRBY', KEYS[2], note .. field, 1)
    end
    if revised then
      revisions = revisions + 1
    end
    at = at + 2
  end
end

pairs_of(KEYS[1], 'HSET')
pairs_of(KEYS[1], 'HINCRBY')
for i = 3, #KEYS do
  panes_of(KEYS[i])
  redis.call('PEXPIRE', KEYS[i], ARGV[5])
end
if revisions > 0 then
  redis.call('HINCRBY', KEYS[1], 'revisions', revisions)
end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return {'stored'}
