-- Become the incident owner: a new epoch (counter and random token), so that every older owner's write is refused.
-- KEYS: owner hash, records hash, marks hash.  ARGV: token, who (host and process), now (ms).
-- Returns {epoch, flat owner hash, flat records, flat marks}: what is stored, as it is under the new epoch.
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'owner', ARGV[2], 'taken_ms', ARGV[3])
return {
  tostring(epoch),
  redis.call('HGETALL', KEYS[1]),
  redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]),
}
