-- KEYS: the owner's index, unless the record is anonymous or its entry was added before; then the
-- record. The index is both the first key and the one that is written first: a proxy that looks at
-- one key only then stores the record where it is not found, instead of leaving a session that its
-- owner's index lacks. ARGV: `lifetime` and `longest` are the lifetimes until `expires` and until
-- the end. `made` and `limit` are the time and the limit of an entry that was added before, or
-- empty strings. `value` is the part of the record after its limit.
local id, margin, lifetime, longest, made, limit, call, value = unpack(ARGV)
local record, index = KEYS[#KEYS], KEYS[#KEYS - 1]
local now = clock()
limit = tonumber(limit) or math.ceil((now + longest) / 1000)
if index then add_to_index(index, id, now, limit, margin) end
-- By now, the entry may have been removed because its record was missing.
if made ~= '' and made * 1000 < now - margin then return 'late' end

value = '\1' .. struct.pack('>I5', limit) .. value
local at = removal(now, lifetime, limit)
if redis.call('SET', record, value, 'NX', 'PXAT', at) then return 'done' end
local found = read(record)
if not found then
  redis.call('SET', record, value, 'NX', 'PXAT', at)
  return 'done'
end
-- A client that lost the reply may have sent the command again.
return found:sub(39, 46) == call and 'done' or 'exists'
