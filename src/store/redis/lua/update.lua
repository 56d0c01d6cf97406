-- KEYS: a record. ARGV: this call's mark, the caller's time, the version that was read, the next one, the payload.
local found = redis.call('HMGET', KEYS[1], 'expires', 'version', 'writer')
if not found[1] or not before(ARGV[2], found[1]) then return 'gone' end
if found[2] ~= ARGV[3] then
  if found[2] == ARGV[4] and found[3] == ARGV[1] then return 'done' end
  return 'conflict'
end
redis.call('HSET', KEYS[1], 'writer', ARGV[1], 'version', ARGV[4], 'payload', ARGV[5])
return 'done'
