-- Add samples of one GPU: of each minute the newest stays, of all minutes the newest ones.  Safe to repeat.
-- KEYS: history (a sorted set of documents by event time), hash of the newest sample.
-- ARGV: most minutes, length of a minute (ms), life (ms), newest of these documents, number of its fields n, n times a field or
--       a value, then per sample its time (ms) and its document.
-- Documents of one time are ordered by their bytes, as a sorted set does.
local length, count = tonumber(ARGV[2]), tonumber(ARGV[5])
for i = 6 + count, #ARGV, 2 do
  local at = tonumber(ARGV[i])
  local start = at - at % length
  redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1])
  local from, to = string.format('%.0f', start), string.format('(%.0f', start + length)
  local minute = redis.call('ZRANGEBYSCORE', KEYS[1], from, to)
  if #minute > 1 then
    redis.call('ZREM', KEYS[1], unpack(minute, 1, #minute - 1))
  end
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[1])
if redis.call('ZRANGE', KEYS[1], -1, -1)[1] == ARGV[4] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], unpack(ARGV, 6, 5 + count))
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
