-- Remove notes that were acted on, unless they were noted again since.
-- KEYS: hash of notes.  ARGV: (field, count as read), ...
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return 1
