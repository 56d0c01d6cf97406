-- KEYS: an owner's index, and where to note what this call did. ARGV: this call's mark, the owner, which of the owner's, a
-- family, what the keys of records begin with, how many records to delete at most.
-- It makes the keys of the records from their entries, so it sees all of them at one moment: none gets away to another key.
-- Answers how many it deleted, and 'done', or 'more' where it stopped at the most, or 'rest' where entries lead to no record
-- that it finds here, or to so many that it stopped looking.
local index, note, mark, owner, mode, family = KEYS[1], KEYS[2], unpack(ARGV, 1, 4)
local begins, most = ARGV[5], tonumber(ARGV[6])
local did = redis.call('HMGET', note, 'by', 'deleted', 'left')
if did[1] == mark then return { tonumber(did[2]), did[3] } end

local hex = {}
for byte = 0, 255 do hex[string.char(byte)] = string.format('%02x', byte) end
local gone, missing = {}, 0
local function revoke()
  local from = 0
  repeat
    -- The newest first: what has idled out lies behind them.
    local entries = redis.call('ZRANGE', index, from, from + most - 1, 'REV')
    for _, entry in ipairs(entries) do
      if mode == 'all' or (mode == 'only') == (entry:sub(33, 48) == family) then
        if #gone == most then return 'more' end
        if missing == 5 * most then return 'rest' end
        local record = begins .. entry:sub(1, 32):gsub('.', hex)
        -- What can't be read isn't found. The steps that follow say why.
        local found = redis.pcall('HMGET', record, 'owner', 'born')
        if found[1] == owner and found[2] == entry:sub(33) then
          bury(record, found[2], owner, mark)
          gone[#gone + 1] = entry
        else
          missing = missing + 1
        end
      end
    end
    from = from + most
  until #entries < most
  return missing > 0 and 'rest' or 'done'
end

local left = revoke()
if #gone > 0 then
  redis.call('ZREM', index, unpack(gone))
  redis.call('HSET', note, 'dead', '', 'by', mark, 'deleted', #gone, 'left', left)
  redis.call('PEXPIRE', note, 60000)
end
return { #gone, left }
