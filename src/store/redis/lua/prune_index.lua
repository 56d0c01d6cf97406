-- KEYS: an owner's index. ARGV: an age in milliseconds, then entries whose records were not found.
-- Removes the entries that are older, because their records can no longer be in flight.
local settled, dead = clock() - ARGV[1], {}
for number = 2, #ARGV do
  local entry = ARGV[number]
  local made = #entry == 26 and struct.unpack('>I5', entry, 17) or 0
  if made * 1000 < settled then dead[#dead + 1] = entry end
end
if #dead > 0 then redis.call('ZREM', KEYS[1], unpack(dead)) end
return 'done'
