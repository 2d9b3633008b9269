-- Remove notes that were acted on, unless they were noted again since.
-- KEYS: hash of notes.  ARGV: MessagePack of field, count as read, field, count, ...
local notes = cmsgpack.unpack(ARGV[1])
for i = 1, #notes, 2 do
  if redis.call('HGET', KEYS[1], notes[i]) == notes[i + 1] then
    redis.call('HDEL', KEYS[1], notes[i])
  end
end
return 1
