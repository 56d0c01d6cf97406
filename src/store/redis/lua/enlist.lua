-- KEYS: an owner's index. ARGV: a record's key, how long the record can last at most, the margin.
-- Answers the moment on the server's clock by which the record is gone for certain.
local now = clock()
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', whole(now - ARGV[3]), 'LIMIT', 0, 100)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
end
local limit = now + ARGV[2]
redis.call('ZADD', KEYS[1], 'GT', whole(limit), ARGV[1])
local lifetime = ARGV[2] + ARGV[3]
if redis.call('PTTL', KEYS[1]) < lifetime then
  redis.call('PEXPIRE', KEYS[1], whole(lifetime))
end
return whole(limit)
