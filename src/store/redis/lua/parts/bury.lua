-- Deletes a record, and for a minute leaves word of the claim by which it was created, whose it was and which call deleted
-- it: a connection that lost an answer may send either call once more. What is left is no record to anybody.
-- Deleted first, since a full server takes nothing from a script that hasn't given something.
local function bury(record, claim, owner, mark)
  redis.call('DEL', record)
  redis.call('HSET', record, 'dead', claim or '', 'by', mark)
  if owner then redis.call('HSET', record, 'whose', owner) end
  redis.call('PEXPIRE', record, 60000)
end
