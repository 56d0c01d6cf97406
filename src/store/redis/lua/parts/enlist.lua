-- Puts an entry on an owner's index, whose record can last so long at most.
-- Answers the moment on the server's clock by which the record is gone for certain. Entries of records that have been gone
-- for as long as the margin go, too, a hundred at a time.
local function enlist(index, entry, longest, margin)
  local now = clock()
  local gone = redis.call('ZRANGEBYSCORE', index, '-inf', whole(now - margin), 'LIMIT', 0, 100)
  if #gone > 0 then
    redis.call('ZREM', index, unpack(gone))
  end
  local limit = now + longest
  redis.call('ZADD', index, whole(limit), entry)
  local lifetime = longest + margin
  if redis.call('PTTL', index) < lifetime then
    redis.call('PEXPIRE', index, whole(lifetime))
  end
  return limit
end
