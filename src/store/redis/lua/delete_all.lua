-- KEYS: an owner's index, and two keys that a cluster refuses together. ARGV: the owner's digest,
-- the id that is to stay or an empty string, what the keys of records begin with, and how many
-- records to delete, give or take 100. The keys of the records are made here, which Redis allows
-- outside of a cluster: index and records are seen at one moment. Begins with the first entry each
-- time, so that the last call sees the whole index at one moment, too. Returns how many it deleted,
-- 'more' or 'done', and the entries whose records it did not find.
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
