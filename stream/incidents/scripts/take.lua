-- Become the incident owner: a new epoch (counter and random token), so that every older owner's write is refused.
-- KEYS: owner hash, records hash, marks hash.  ARGV: token, who (host and process), now (ms), clock (`live` or `event`).
-- Returns {epoch, flat owner hash, flat records, flat marks}: what is stored, as it is under the new epoch; or, where the
-- environment goes by another clock, {"", that clock}, and nothing was changed.
redis.call('HSETNX', KEYS[1], 'clock', ARGV[4])
local clock = redis.call('HGET', KEYS[1], 'clock')
if clock ~= ARGV[4] then
  return {'', clock}
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'owner', ARGV[2], 'taken_ms', ARGV[3])
return {
  tostring(epoch),
  redis.call('HGETALL', KEYS[1]),
  redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]),
}
