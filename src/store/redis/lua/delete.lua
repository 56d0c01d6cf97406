-- KEYS: a record. ARGV: the version and the owner's digest that it must have, or empty strings.
-- What the keys of indexes begin with, or an empty string if the entry is to stay. The key of the
-- index is made here, which Redis allows outside of a cluster. If it refuses, the digest is
-- returned, too.
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
