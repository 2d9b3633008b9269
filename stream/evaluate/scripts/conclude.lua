-- Write what evaluation concluded of one model's stream, all of it or nothing.
-- KEYS: evaluation hash, outbox, totals, then the hashes of closed panes, then per report its hash and its history.
-- ARGV: token, last pane end as the caller knows it ("" before the first), name of this commit,
--       n evaluation fields, n times (field, value); n totals, n times (field, increment);
--       n newest, n times (field, value kept at its maximum); n messages, n times (topic, key, value);
--       number of closed hashes, life (ms), per hash: n rows, n times (field, value);
--       number of reports, most of a history, per report: "1" where it is the newest of its window, its end, its late events,
--       its document, n fields for people, n times (field, value).
-- Returns {"stored"}, {"again"} (this very commit was stored before), {"fenced", token} or {"elsewhere", last}.
local held = redis.call('HMGET', KEYS[1], 'token', 'last', 'commit')
if held[1] and tonumber(held[1]) > tonumber(ARGV[1]) then
  return {'fenced', held[1]}
end
if held[3] == ARGV[3] then
  return {'again'}
end
if (held[2] or '') ~= ARGV[2] then
  return {'elsewhere', held[2] or ''}
end

local at = 4
local function next_value()
  at = at + 1
  return ARGV[at - 1]
end
local function pairs_of(key, call)
  for _ = 1, tonumber(next_value()) do
    local field = next_value()
    redis.call(call, key, field, next_value())
  end
end

redis.call('HSET', KEYS[1], 'token', ARGV[1], 'commit', ARGV[3])
pairs_of(KEYS[1], 'HSET')
pairs_of(KEYS[3], 'HINCRBY')
for _ = 1, tonumber(next_value()) do
  local field, value = next_value(), next_value()
  local before = redis.call('HGET', KEYS[3], field)
  if not before or tonumber(before) < tonumber(value) then
    redis.call('HSET', KEYS[3], field, value)
  end
end
for _ = 1, tonumber(next_value()) do
  local topic, key = next_value(), next_value()
  redis.call('XADD', KEYS[2], '*', 'topic', topic, 'key', key, 'value', next_value())
end
local blocks, life = tonumber(next_value()), next_value()
for i = 1, blocks do
  pairs_of(KEYS[3 + i], 'HSET')
  redis.call('PEXPIRE', KEYS[3 + i], life)
end
local reports, most = tonumber(next_value()), next_value()
for i = 1, reports do
  local report, history = KEYS[2 + blocks + 2 * i], KEYS[3 + blocks + 2 * i]
  local newest, stop, late, document = next_value(), next_value(), next_value(), next_value()
  redis.call('XADD', history, 'MAXLEN', '~', most, '*', 'end', stop, 'late', late, 'document', document)
  if newest == '1' then
    redis.call('DEL', report)
    redis.call('HSET', report, 'document', document)
    pairs_of(report, 'HSET')
  else
    at = at + 1 + 2 * tonumber(ARGV[at])
  end
end
return {'stored'}
