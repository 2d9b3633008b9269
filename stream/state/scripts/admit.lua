-- Take GPUs into the index while there is room, and move what is known to when it was heard of last.
-- KEYS: index (a sorted set by event time).  ARGV: most GPUs, then per GPU its name and the time of its newest sample (ms).
-- Returns per GPU 1, or 0 where there was no room.
local count = redis.call('ZCARD', KEYS[1])
local answers = {}
for i = 2, #ARGV, 2 do
  local known = redis.call('ZSCORE', KEYS[1], ARGV[i])
  local room = known or count < tonumber(ARGV[1])
  if room and (not known or tonumber(known) < tonumber(ARGV[i + 1])) then
    redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
  end
  if room and not known then
    count = count + 1
  end
  answers[#answers + 1] = room and 1 or 0
end
return answers
