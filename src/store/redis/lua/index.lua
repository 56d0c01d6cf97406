-- KEYS: an owner's index.
-- Answers what the server's clock shows, and the entries, each followed by the moment by which its record is gone.
return { whole(clock()), redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES') }
