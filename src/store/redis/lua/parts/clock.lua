-- What the server's clock shows, in milliseconds.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A whole number as Redis reads it back. Left alone, it may turn up as 1.8e+12.
local function whole(number)
  return string.format('%.0f', number)
end
