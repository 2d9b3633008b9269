-- Take a claim, hold it for longer, or let go of it; another's claim is left alone.
-- KEYS: the claim.  ARGV: who asks, for how long (ms; 0: let go).
-- Returns 1, or 0 where it is another's.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
