-- KEYS: an owner's index. ARGV: an age, then entries whose records were not found.
-- Removes those that are so old that no record is still on its way.
local settled, dead = clock() - ARGV[1], {}
for number = 2, #ARGV do
  local entry = ARGV[number]
  local made = #entry == 26 and struct.unpack('>I5', entry, 17) or 0
  if made * 1000 < settled then dead[#dead + 1] = entry end
end
if #dead > 0 then redis.call('ZREM', KEYS[1], unpack(dead)) end
return 'done'
