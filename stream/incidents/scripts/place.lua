-- Record where the inputs are read from after an assignment.
-- KEYS: owner hash.  ARGV: epoch, token, field, value, field, value ...  Returns 1, or 0 where the epoch is not ours.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
return 1
