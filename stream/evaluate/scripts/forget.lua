-- Remove notes that were acted on, unless they were noted again since; none where this server has not the history of writes
-- that they were read from: it is another one, which may know nothing of what was stored because of them.
-- KEYS: hash of notes.  ARGV: MessagePack of field, count as read, field, count, ...; the history they were read from.
-- Returns 1, or 0 where nothing was looked at.
local told = redis.pcall('INFO', 'replication')
local history = type(told) == 'string' and string.match(told, 'master_replid:(%x+)') or ''
if history ~= ARGV[2] then
  return 0
end
local notes = cmsgpack.unpack(ARGV[1])
for i = 1, #notes, 2 do
  if redis.call('HGET', KEYS[1], notes[i]) == notes[i + 1] then
    redis.call('HDEL', KEYS[1], notes[i])
  end
end
return 1
