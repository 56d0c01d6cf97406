-- KEYS: a record. ARGV: whose it must be, which of the owner's, a family.
-- Answers also the claim by which it was created.
local found = redis.call('HMGET', KEYS[1], 'owner', 'family', 'born')
if found[1] ~= ARGV[1] then return { 'gone' } end
if ARGV[2] == 'only' and found[2] ~= ARGV[3] then return { 'gone' } end
if ARGV[2] == 'except' and found[2] == ARGV[3] then return { 'gone' } end
redis.call('DEL', KEYS[1])
return { 'done', found[3] }
