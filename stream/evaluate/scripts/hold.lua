-- Keep a lease that is still ours ("hold", with its life in ms), or give it back ("drop").
-- KEYS: lease.  ARGV: worker, what to do, life (ms).  Returns 1, or 0 where the lease is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == 'hold' then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return 1
