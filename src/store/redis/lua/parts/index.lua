-- An owner's index is a sorted set whose scores are all 0, so that it is in the order of the ids.
-- An entry is the id of a record (16 bytes), the time when the entry was made and the limit of the
-- record (5 bytes each, in seconds of the server's clock).

-- Adds an entry unless the index has one that lasts as long. Returns when it was made. Of the
-- entries next to the new one, those whose limit has passed are removed. Ids are random, so all
-- such entries are removed in the end.
local function add_to_index(index, id, now, limit, margin)
  local made = math.floor(now / 1000)
  local entry, dead = id .. struct.pack('>I5I5', made, limit), {}
  local lives = redis.call('PTTL', index)
  if lives ~= -2 then
    local next_to_it = redis.pcall('ZRANGEBYLEX', index, '[' .. id, '+', 'LIMIT', 0, 4)
    if next_to_it.err and next_to_it.err:find('WRONGTYPE', 1, true) then
      redis.call('DEL', index)
      lives = -2
    end
    for _, other in ipairs(next_to_it) do
      local passes = #other == 26 and struct.unpack('>I5', other, 22) or 0
      if other:sub(1, 16) == id and passes >= limit then
        entry = nil
      elseif other:sub(1, 16) == id or passes * 1000 < now - margin then
        dead[#dead + 1] = other
      end
    end
  end
  if entry then redis.call('ZADD', index, 0, entry) end
  if #dead > 0 then redis.call('ZREM', index, unpack(dead)) end
  local gone = limit * 1000 + margin
  if lives < gone - now then redis.call('PEXPIREAT', index, gone) end
  return made
end
