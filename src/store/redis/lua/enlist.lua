-- KEYS: an owner's index. ARGV: an entry, how long its record can last at most, the margin.
return whole(enlist(KEYS[1], ARGV[1], ARGV[2], ARGV[3]))
