-- Takes one token out of an address' bucket; answers the milliseconds to wait, 0 where it was given.
-- KEYS: the bucket.  ARGV: parts in a full one, parts gained a millisecond, parts needed, parts of a token, the skew that
-- is believed (ms), now (epoch ms; empty: this server's time).  The same as `taken` in budget.py, which a test compares.
local full, gain, needed, unit, skew = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now = tonumber(ARGV[6])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local held = redis.call('HMGET', KEYS[1], 'parts', 'at')
local parts, last = tonumber(held[1] or full), tonumber(held[2] or now)
local at = math.max(last, now)
if last > now + skew then at = now end
parts = math.min(full, parts + math.max(0, at - last) * gain)
local wait = 0
if parts >= needed then
  parts = parts - unit
else
  wait = math.ceil((needed - parts) / gain) + at - now
end
redis.call('HSET', KEYS[1], 'parts', string.format('%d', parts), 'at', string.format('%d', at))
-- A bucket that nobody asks is full again long before this: to forget it changes nothing.
redis.call('PEXPIRE', KEYS[1], math.ceil(full / gain) + 2 * skew)
return string.format('%d', wait)
