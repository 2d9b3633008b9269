-- Set where a partition is read from next, with what was found out about its log.
-- KEYS: offset hash.  ARGV: epoch, token, field, value, field, value ...  Returns 1, or 0 where the epoch is not ours.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 0
end
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
return 1
