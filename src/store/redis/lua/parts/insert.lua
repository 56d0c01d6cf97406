-- What stands in the way of a new record: 'done' where this call comes once more, and its record is there, or has been and
-- was deleted since; 'exists' where it is another's; nothing where the key is free.
local function taken(record, claim)
  local found = redis.call('HMGET', record, 'born', 'dead')
  if found[1] == claim or found[2] == claim then return 'done' end
  if not found[2] and redis.call('EXISTS', record) == 1 then return 'exists' end
end

-- Writes a record under a key that is free, and first its entry, where there is an index. What it is to be: this call's claim,
-- the moment by which it has to be gone or nothing, its entry, the margin, how long it can last at most, how long it lasts
-- unless it is used, then its fields and their values.
local function insert(record, index, new)
  local limit = tonumber(new[2]) or clock() + new[5]
  if index then limit = enlist(index, new[3], new[5], new[4]) end
  -- What a deletion left.
  if redis.call('EXISTS', record) == 1 then redis.call('DEL', record) end
  redis.call('HSET', record, 'born', new[1], 'limit', whole(limit), unpack(new, 7))
  redis.call('PEXPIREAT', record, whole(math.min(clock() + new[6], limit)))
end
