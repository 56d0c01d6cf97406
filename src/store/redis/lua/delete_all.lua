-- KEYS: an owner's index, and two keys that a cluster rejects together. ARGV: the owner's digest,
-- the id of the record to keep or an empty string, the prefix of the keys of records, and about how
-- many records to delete. The keys of the records are derived here, which Redis allows outside of a
-- cluster, so the index and the records are read at one moment. Each call begins with the first
-- entry, so the last call reads the whole index at one moment, too. Returns how many records were
-- deleted, 'more' or 'done', and the entries whose records were not found.
local owner, except, records, most = unpack(ARGV)
local deleted, absent, from = 0, {}, '-'
repeat
  local entries = redis.pcall('ZRANGEBYLEX', KEYS[1], from, '+', 'LIMIT', 0, 100)
  if entries.err then return entries end
  local gone = {}
  for _, entry in ipairs(entries) do
    local id = entry:sub(1, 16)
    local head = id ~= except and read(records .. id)
    if head and head:sub(47, 62) == owner then
      redis.call('DEL', records .. id)
      gone[#gone + 1] = entry
    elseif id ~= except then
      absent[#absent + 1] = entry
    end
    from = '(' .. entry
  end
  if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
  deleted = deleted + #gone
  if #entries < 100 then return { deleted, 'done', absent } end
until deleted >= tonumber(most)
return { deleted, 'more', {} }
