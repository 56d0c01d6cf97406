-- KEYS: a record, and before it the owner's index, unless the entry is there already or there is no owner.
-- ARGV: what the record is to be.
local record, index = KEYS[#KEYS], KEYS[#KEYS - 1]
local answer = taken(record, ARGV[1])
if answer then return answer end
insert(record, index, ARGV)
return 'done'
