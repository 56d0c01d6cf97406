-- KEYS: an owner's index. ARGV: `longest` is the lifetime of the record until its end. Returns when
-- the entry was made, and its limit. The record is then written with this limit.
local id, margin, longest = unpack(ARGV)
local now = clock()
local limit = math.ceil((now + longest) / 1000)
return { add_to_index(KEYS[1], id, now, limit, margin), limit }
