-- Some of a partition's notes, as one text: a client takes a reply of thousands of parts apart far more slowly than this.
-- KEYS: hash of notes.  ARGV: cursor, about how many to look at.
-- Returns {cursor, MessagePack of field, count, field, count, ..., whose history of writes this server has}.
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
-- A user without the right to INFO is told nothing of fail-overs: '' is as good as itself.
local told = redis.pcall('INFO', 'replication')
local history = type(told) == 'string' and string.match(told, 'master_replid:(%x+)') or ''
return {found[1], cmsgpack.pack(found[2]), history}
