-- Write what evaluation concluded of one model's stream, all of it or nothing.
-- KEYS: evaluation hash, outbox, totals, then the hashes of closed panes, then per report, and per decision on
--       a release, its hash and its history.
-- ARGV: token, last pane end as the caller knows it ("" before the first), name of this commit, life of closed panes (ms),
--       most of a history, and as one MessagePack (a client packs hundreds of arguments far more slowly): the evaluation
--       fields, the increments of totals, the totals kept at their maximum (each field, value, ...), the messages (topic, key,
--       value, ...), per hash of closed panes the starts of its rows, per report {"1" where its window's hash is to show
--       it, its end, its late events, which of the messages is its document, the fields for people}; then every row, in the
--       order of the starts.
-- Returns {"stored"}, {"again"} (this very commit was stored before), {"fenced", token} or {"elsewhere", last}.
local fields, totals, newest, messages, rows, reports = unpack(cmsgpack.unpack(ARGV[6]))

-- A script that fails in the middle is not taken back: what could fail is looked at first.
local function is(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end
for i, key in ipairs(KEYS) do
  local kind = (i == 2 or (i > 3 + #rows and (i - 3 - #rows) % 2 == 0)) and 'stream' or 'hash'
  if not is(key, kind) then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is no ' .. kind)
  end
end

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

local AT_ONCE = 1000 -- unpack has a limit of 8000
local function set(key, pairs)
  for i = 1, #pairs, AT_ONCE do
    redis.call('HSET', key, unpack(pairs, i, math.min(i + AT_ONCE - 1, #pairs)))
  end
end

redis.call('HSET', KEYS[1], 'token', ARGV[1], 'commit', ARGV[3])
set(KEYS[1], fields)
for i = 1, #totals, 2 do
  redis.call('HINCRBY', KEYS[3], totals[i], totals[i + 1])
end
for i = 1, #newest, 2 do
  local before = redis.call('HGET', KEYS[3], newest[i])
  if not before or tonumber(before) < tonumber(newest[i + 1]) then
    redis.call('HSET', KEYS[3], newest[i], newest[i + 1])
  end
end
for i = 1, #messages, 3 do
  redis.call('XADD', KEYS[2], '*', 'topic', messages[i], 'key', messages[i + 1], 'value', messages[i + 2])
end
local row = 6
for i, starts in ipairs(rows) do
  for _, start in ipairs(starts) do
    row = row + 1
    redis.call('HSET', KEYS[3 + i], start, ARGV[row])
  end
  redis.call('PEXPIRE', KEYS[3 + i], ARGV[4])
end
for i, told in ipairs(reports) do
  local report, history = KEYS[2 + #rows + 2 * i], KEYS[3 + #rows + 2 * i]
  local document = messages[3 * told[4]]
  redis.call('XADD', history, 'MAXLEN', '~', ARGV[5], '*', 'end', told[2], 'late', told[3], 'document', document)
  if told[1] == '1' then
    redis.call('DEL', report)
    redis.call('HSET', report, 'document', document)
    set(report, told[5])
  end
end
return {'stored'}
