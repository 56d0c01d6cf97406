-- KEYS: a record. ARGV: the version that it must have, or nothing.
-- Answers also the claim by which it was created and whose it was, so that its entry can be taken off the owner's index.
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'gone' } end
local found = redis.call('HMGET', KEYS[1], 'version', 'born', 'owner')
if ARGV[1] ~= '' and ARGV[1] ~= found[1] then return { 'conflict' } end
redis.call('DEL', KEYS[1])
return { 'done', found[2], found[3] }
