-- KEYS: a record. ARGV: this call's mark, the version that it must have, or nothing.
-- Answers also the claim by which it was created and whose it was, so that its entry can be taken off the owner's index.
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'gone' } end
local found = redis.call('HMGET', KEYS[1], 'version', 'born', 'owner', 'dead', 'by', 'whose')
if found[4] then
  if found[5] == ARGV[1] then return { 'done', found[4], found[6] } end
  return { 'gone' }
end
if ARGV[2] ~= '' and ARGV[2] ~= found[1] then return { 'conflict' } end
bury(found[2], found[3], ARGV[1])
return { 'done', found[2], found[3] }
