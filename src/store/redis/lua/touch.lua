-- KEYS: a record. ARGV: the caller's time, when it is to expire, the longest time to live, the margin.
local found = redis.call('HMGET', KEYS[1], 'expires', 'ends', 'limit')
if not found[1] or not before(ARGV[1], found[1]) then return 'gone' end
local expires = found[1]
if before(expires, ARGV[2]) then expires = ARGV[2] end
if before(found[2], expires) then expires = found[2] end
-- Rounded where the numbers are huge, and only moved on: this is when Redis clears up, not when the record dies.
local now = clock()
local lifetime = math.min(expires - ARGV[1], tonumber(ARGV[3])) + ARGV[4]
local at = math.min(now + lifetime, tonumber(found[3]))
redis.call('HSET', KEYS[1], 'touched', ARGV[1], 'expires', expires)
if redis.call('PTTL', KEYS[1]) < at - now then
  redis.call('PEXPIREAT', KEYS[1], whole(at))
end
return 'done'
