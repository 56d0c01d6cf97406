-- KEYS: the owner's index, unless the record is anonymous or each command has one key; then the
-- record. ARGV: `lifetime` and `longest` are the lifetimes until `expires` and until the end.
-- `added` is the limit of an entry that was added for this update, or an empty string. `now` is the
-- caller's time. The end, `last`, is the later of `expires` and `ends`.
local id, margin, lifetime, longest, added, now, version, next_version, touched, expires, ends,
  last, call, payload = unpack(ARGV)
local record, index = KEYS[#KEYS], KEYS[#KEYS - 1]
local head = read(record)
if not head or not before(now, head:sub(23, 30)) then return 'gone' end
local found = head:sub(7, 14)
if found ~= version then
  -- A client that lost the reply may have sent the command again.
  return found == next_version and head:sub(39, 46) == call and 'done' or 'conflict'
end

local server_now, limit = clock(), struct.unpack('>I5', head, 2)
if before(head:sub(31, 38), last) then
  local raised = tonumber(added) or math.ceil((server_now + longest) / 1000)
  if raised > limit then
    -- The entry is written before the record.
    local owned = head:sub(47, 62) ~= ('\0'):rep(16)
    if owned and index then add_to_index(index, id, server_now, raised, margin) end
    if owned and not index and added == '' then return 'index' end
    limit = raised
  end
end

if before(touched, head:sub(15, 22)) then touched = head:sub(15, 22) end
-- The owner's digest, `created` and the owner are kept.
local owner_length = struct.unpack('>I2', redis.call('GETRANGE', record, 70, 71))
if owner_length == 65535 then owner_length = 0 end
local owner = redis.call('GETRANGE', record, 46, 71 + owner_length)
head = '\1' .. struct.pack('>I5', limit) .. next_version .. touched .. expires .. ends .. call
local at = removal(server_now, lifetime, limit)
redis.call('SET', record, head .. owner .. payload, 'PXAT', at)
return 'done'
