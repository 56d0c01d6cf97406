-- KEYS: a record. ARGV: the caller's time, when the record is to expire, the longest lifetime.
local now, expires, longest, margin = unpack(ARGV)
local head = read(KEYS[1])
if not head or not before(now, head:sub(23, 30)) then return 'gone' end
local touched, ends = now, head:sub(31, 38)
if before(touched, head:sub(15, 22)) then touched = head:sub(15, 22) end
if before(expires, head:sub(23, 30)) then expires = head:sub(23, 30) end
if before(ends, expires) then expires = ends end
redis.call('SETRANGE', KEYS[1], 14, touched .. expires)

-- The time when Redis removes the record, not when the record expires. It is inexact for huge
-- numbers, and never moved back.
local high, low = struct.unpack('>I4I4', expires)
local high_now, low_now = struct.unpack('>I4I4', now)
local left = (high - high_now) * 4294967296 + low - low_now
local lifetime = math.max(math.min(left, longest), 0) + margin
local server_now = clock()
local at = removal(server_now, lifetime, struct.unpack('>I5', head, 2))
if redis.call('PTTL', KEYS[1]) < at - server_now then redis.call('PEXPIREAT', KEYS[1], at) end
return 'done'
