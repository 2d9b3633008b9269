-- A fencing token for a shard, greater than every one before, those that Redis lost with its data too: not below its clock.
-- KEYS: tokens of the shards.  ARGV: shard.  Returns the token.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
local token = math.max(before + 1, now_ms)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', token))
return token
