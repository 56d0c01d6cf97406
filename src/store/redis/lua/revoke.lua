-- KEYS: a record. ARGV: this call's mark, whose it must be, which of the owner's, a family.
-- Answers also the claim by which it was created.
local found = redis.call('HMGET', KEYS[1], 'owner', 'family', 'born', 'dead', 'by')
if found[4] and found[5] == ARGV[1] then return { 'done', found[4] } end
if found[1] ~= ARGV[2] then return { 'gone' } end
if ARGV[3] == 'only' and found[2] ~= ARGV[4] then return { 'gone' } end
if ARGV[3] == 'except' and found[2] == ARGV[4] then return { 'gone' } end
bury(KEYS[1], found[3], found[1], ARGV[1])
return { 'done', found[3] }
