-- Note a dead letter as being sent again, unless it is noted already; what is noted of another record of its place is of a topic
-- that is gone.
-- KEYS: the hash.  ARGV: the letter's identity, its record's timestamp, what is noted.
-- Returns 1 where it is this caller's to send.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and string.match(known, '^%S+') == ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
