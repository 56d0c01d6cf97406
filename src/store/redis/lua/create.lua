-- KEYS: the owner's index, unless the record is anonymous or its entry was added before; the
-- record. The index is first in both orders: a proxy that looks at one key only then puts the
-- record where it is not found, rather than leaving a session that its owner's list lacks. ARGV:
-- the lifetimes until `expires` and until the end. When the entry was added and its limit, or empty
-- strings. The value is what follows the limit.
local id, margin, lifetime, longest, made, limit, call, value = unpack(ARGV)
local record, index = KEYS[#KEYS], KEYS[#KEYS - 1]
local now = clock()
limit = tonumber(limit) or math.ceil((now + longest) / 1000)
if index then add_to_index(index, id, now, limit, margin) end
-- The entry may have been removed as one whose record never came.
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
