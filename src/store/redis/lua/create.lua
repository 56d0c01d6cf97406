-- KEYS: a record. ARGV: this call's claim, the moment by which the record has to be gone or nothing, how long it can last
-- at most, how long it lasts unless it is used, then its fields and their values.
local found = redis.call('HMGET', KEYS[1], 'born', 'dead')
-- This call comes once more: its record is there, or has been and was deleted since.
if found[1] == ARGV[1] or found[2] == ARGV[1] then return 'done' end
if found[2] then
  redis.call('DEL', KEYS[1])
elseif redis.call('EXISTS', KEYS[1]) == 1 then
  return 'exists'
end
local now = clock()
local limit = tonumber(ARGV[2]) or now + ARGV[3]
redis.call('HSET', KEYS[1], 'born', ARGV[1], 'limit', whole(limit), unpack(ARGV, 5))
redis.call('PEXPIREAT', KEYS[1], whole(math.min(now + ARGV[4], limit)))
return 'done'
