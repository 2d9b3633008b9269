-- Say that evaluation is about to read the panes of a partition that end here or before; the seal only grows.
-- KEYS: offset hash.  ARGV: end (ms).
local held = redis.call('HGET', KEYS[1], 'sealed')
if not held or tonumber(held) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'sealed', ARGV[1])
end
return 1
