-- KEYS: a record and the one that takes its place, and before them the new one's owner's index, unless there is no owner.
-- ARGV: this call's mark, the version that the record must have, its key, then what the new one is to be.
-- In the order of the steps, so that what stops it half-way leaves both. Answers as a deletion does, without the owner where
-- the entry is off the index already.
local new, old, index = KEYS[#KEYS], KEYS[#KEYS - 1], KEYS[#KEYS - 2]
local found, claim, owner = find(old, ARGV[1], ARGV[2])
if found == 'done' then return { found, claim, owner } end
local answer = taken(new, ARGV[4])
if answer then return { answer } end
if found ~= 'there' then return { found } end
insert(new, index, { unpack(ARGV, 4) })
bury(old, claim, owner, ARGV[1])
if index and redis.call('ZREM', index, ARGV[3] .. (claim or '')) == 1 then owner = false end
return { 'done', claim, owner }
