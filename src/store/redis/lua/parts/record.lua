-- A record is one string. Its head is read here; packed.rs defines the whole layout. Bytes from 1:
--   1 format   2 limit, in seconds of the server's clock   7 version   15 touched   23 expires
--   31 ends    39 the id of the call that wrote it         47 digest of the owner
--
-- Lua's numbers are exact up to 2^53, so versions and times remain bytes: they are compared as
-- strings for equality, and by before() for order.

-- Returns the head of a record, or nil. Deletes a value that this store didn't write, since it
-- would make every later call fail.
local function read(record)
  local head = redis.pcall('GETRANGE', record, 0, 61)
  if head.err then
    if head.err:find('WRONGTYPE', 1, true) then redis.call('DEL', record) end
  elseif head ~= '' then
    if #head == 62 and head:byte() == 1 then return head end
    redis.call('DEL', record)
  end
end

-- Whether one time is before another. Comparing the strings with `<` would depend on the server's
-- locale.
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

-- When Redis removes a record: after `lifetime` milliseconds, but no later than its limit, since
-- its index entry may be removed then.
local function removal(now, lifetime, limit)
  return math.min(now + lifetime, limit * 1000)
end
