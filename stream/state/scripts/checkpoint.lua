-- Write what a partition changed, and the offset that goes with it, or nothing at all.
-- KEYS: offset hash, hash of notes for evaluation, then one hash per block of panes.
-- ARGV: epoch, token, start, next, life of a block (ms), number of offset fields n, n times (field, value),
--       number of counters m, m times (field, increment), then the panes in one piece, integers little-endian, each text
--       behind its length: per block length of a pane (ms, 8 bytes), what a note of it begins with (2), number of panes p (4),
--       p times field (1), value (4).
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
local panes, from
local function panes_of(key)
  local length, note, count, field, value
  length, note, count, from = struct.unpack('<I8I2c0I4', panes, from)
  for _ = 1, count do
    field, value, from = struct.unpack('<I1c0I4c0', panes, from)
    local new = redis.call('HSET', key, field, value) == 1
    local revised = sealed and tonumber(string.match(field, '^%-?%d+')) + length <= sealed
    if new or revised then
      redis.call('HINCRBY', KEYS[2], note .. field, 1)
    end
    if revised then
      revisions = revisions + 1
    end
  end
end

pairs_of(KEYS[1], 'HSET')
pairs_of(KEYS[1], 'HINCRBY')
panes, from = ARGV[at], 1
for i = 3, #KEYS do
  panes_of(KEYS[i])
  redis.call('PEXPIRE', KEYS[i], ARGV[5])
end
if revisions > 0 then
  redis.call('HINCRBY', KEYS[1], 'revisions', revisions)
end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return {'stored'}
