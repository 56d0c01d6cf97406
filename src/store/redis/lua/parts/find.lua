-- Whether a record is 'there' at this version, or at any if none is given; else 'gone' or 'conflict', or 'done' where this
-- call comes once more and has deleted it. Answers also the claim by which it was created and whose it was, so that its
-- entry can be taken off the owner's index.
local function find(record, mark, version)
  if redis.call('EXISTS', record) == 0 then return 'gone' end
  local found = redis.call('HMGET', record, 'version', 'born', 'owner', 'dead', 'by', 'whose')
  if found[4] then
    if found[5] == mark then return 'done', found[4], found[6] end
    return 'gone'
  end
  if version ~= '' and version ~= found[1] then return 'conflict' end
  return 'there', found[2], found[3]
end
