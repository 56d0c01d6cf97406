-- Whether a whole number is smaller than another, both as text: ours have 64 bits, Lua's only 53.
local function before(a, b)
  local minus = a:sub(1, 1) == '-'
  if minus ~= (b:sub(1, 1) == '-') then return minus end
  if minus then a, b = b:sub(2), a:sub(2) end
  if #a ~= #b then return #a < #b end
  return a < b
end
