-- A record is one string. Its head is read here; packed.rs knows all of it. Bytes from 1:
--   1 format   2 limit, in seconds of the server's clock   7 version   15 touched   23 expires
--   31 ends    39 the id of the call that wrote it         47 digest of the owner
-- Lua's numbers are exact up to 2^53, so versions and times stay bytes: equal as strings, ordered
-- by before().

-- Returns the head of a record, or nil. Deletes a value that is none of ours: it would stand in the
-- way for ever.
local function read(record)
  local head = redis.pcall('GETRANGE', record, 0, 61)
  if head.err then
    if head.err:find('WRONGTYPE', 1, true) then redis.call('DEL', record) end
  elseif head ~= '' then
    if #head == 62 and head:byte() == 1 then return head end
    redis.call('DEL', record)
  end
end

-- Whether one moment is before another. Not `<` on the strings: that follows the server's locale.
local function before(a, b)
  local high_a, low_a = struct.unpack('>I4I4', a)
  local high_b, low_b = struct.unpack('>I4I4', b)
  return high_a < high_b or high_a == high_b and low_a < low_b
end

-- The server's clock, in milliseconds.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Redis removes a record after so many milliseconds, but not after its limit: its index entry lives
-- as long.
local function removal(now, lifetime, limit)
  return math.min(now + lifetime, limit * 1000)
end
