-- KEYS: an owner's index. ARGV: an entry, how long its record can last at most, the margin.
-- Answers the moment on the server's clock by which the record is gone for certain. Entries of records that have been gone
-- for as long as the margin go, too, a hundred at a time.
local now = clock()
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', whole(now - ARGV[3]), 'LIMIT', 0, 100)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
end
local limit = now + ARGV[2]
redis.call('ZADD', KEYS[1], whole(limit), ARGV[1])
local lifetime = ARGV[2] + ARGV[3]
if redis.call('PTTL', KEYS[1]) < lifetime then
  redis.call('PEXPIRE', KEYS[1], whole(lifetime))
end
return whole(limit)
