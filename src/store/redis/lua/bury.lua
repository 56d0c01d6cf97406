-- Deletes a record, and for a minute leaves word of the claim by which it was created, whose it was and which call deleted
-- it: a connection that lost an answer may send either call once more. What is left is no record to anybody.
-- Deleted first, since a full server takes nothing from a script that hasn't given something.
local function bury(claim, owner, mark)
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'dead', claim or '', 'by', mark)
  if owner then redis.call('HSET', KEYS[1], 'whose', owner) end
  redis.call('PEXPIRE', KEYS[1], 60000)
end
