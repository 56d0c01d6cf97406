-- KEYS: a record. ARGV: this call's mark, the version that it must have, or nothing.
local found, claim, owner = find(KEYS[1], ARGV[1], ARGV[2])
if found == 'there' then
  bury(KEYS[1], claim, owner, ARGV[1])
  found = 'done'
end
return { found, claim, owner }
