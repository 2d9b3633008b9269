-- Take a partition: a new epoch (counter and random token), so that every older owner's write is refused.
-- KEYS: offset hash.  ARGV: token, group, "1" to take over from another group, now (ms).
-- Returns {"taken", epoch, next, clock, closed, topic_id, incarnation} or {"group", other group}.
local group = redis.call('HGET', KEYS[1], 'group')
if group and group ~= ARGV[2] and ARGV[3] ~= '1' then
  return {'group', group}
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'group', ARGV[2], 'updated_ms', ARGV[4])
local found = redis.call('HMGET', KEYS[1], 'next', 'clock', 'closed', 'topic_id', 'incarnation')
return {'taken', tostring(epoch), found[1], found[2], found[3], found[4], found[5]}
