-- Write everything that one turn of the owner changed, with the offsets that go with it, or nothing at all.
-- KEYS: owner hash, then every other key that is written.
-- ARGV: epoch, token, turn, number of offsets n, n times (field, start, next), then in MessagePack the commands, each
--       (position of its key in KEYS, command, lengths of its arguments), and at last all their arguments as one string:
--       tens of thousands of arguments take the client long to write.
-- Returns {"stored"}, {"again"} (this very turn was stored before), {"fenced", epoch} or {"elsewhere", field, value}.
--
-- One call holds all of a turn: a register that says "told" beside a member that was never stored would be a page lost.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'token', 'turn')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return {'fenced', held[1] or ''}
end
local turn = tonumber(ARGV[3])
local stored = tonumber(held[3] or '0')
if stored == turn then
  return {'again'}
end
if stored ~= turn - 1 then
  return {'elsewhere', 'turn', held[3] or ''}
end

local at = 5
local moved = {}
for _ = 1, tonumber(ARGV[4]) do
  local start = redis.call('HGET', KEYS[1], ARGV[at])
  if start ~= ARGV[at + 1] then
    return {'elsewhere', ARGV[at], start or ''}
  end
  moved[#moved + 1] = ARGV[at]
  moved[#moved + 1] = ARGV[at + 2]
  at = at + 3
end

local writes, said, from = cmsgpack.unpack(ARGV[at]), ARGV[at + 1], 1
for _, write in ipairs(writes) do
  local arguments = {}
  for number, length in ipairs(write[3]) do
    arguments[number] = string.sub(said, from, from + length - 1)
    from = from + length
  end
  redis.call(write[2], KEYS[write[1]], unpack(arguments))
end
redis.call('HSET', KEYS[1], 'turn', ARGV[3], unpack(moved))
return {'stored'}
