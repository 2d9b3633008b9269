-- Some of a partition's notes, as one text: a client takes a reply of thousands of parts apart far more slowly than this.
-- KEYS: hash of notes.  ARGV: cursor, about how many to look at.
-- Returns {cursor, MessagePack of field, count, field, count, ...}.
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
return {found[1], cmsgpack.pack(found[2])}
