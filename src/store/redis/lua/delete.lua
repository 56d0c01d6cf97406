-- KEYS: a record. ARGV: `version` and `expected_owner` are the version and the owner's digest that
-- the record must have, or empty strings. `indexes` is the prefix of the keys of indexes, or an
-- empty string if the entry is to be kept. The key of the index is derived here, which Redis allows
-- outside of a cluster. If Redis rejects it, the owner's digest is returned, too.
local version, expected_owner, id, indexes = unpack(ARGV)
local head = read(KEYS[1])
if not head then return { 'gone' } end
if version ~= '' and head:sub(7, 14) ~= version then return { 'conflict' } end
local owner = head:sub(47, 62)
if expected_owner ~= '' and owner ~= expected_owner then return { 'gone' } end
redis.call('DEL', KEYS[1])
if indexes == '' or owner == ('\0'):rep(16) then return { 'done' } end
local from, to = '[' .. id, '[' .. id .. ('\255'):rep(11)
local removed = redis.pcall('ZREMRANGEBYLEX', indexes .. owner, from, to)
return { 'done', type(removed) == 'table' and owner or nil }
