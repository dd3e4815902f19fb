-- For scripts that learn a record's name from a stored message: the key of the bucket it lies in, as keys.ts works it out.
-- The first 12 bits of the CRC-32 (IEEE 802.3) of its name, half a byte at a time.
local POLYNOMIAL, HALF_BYTES = 0xedb88320, {}
for n = 0, 15 do
  local crc = n
  for _ = 1, 4 do crc = bit.bxor(bit.rshift(crc, 1), crc % 2 == 1 and POLYNOMIAL or 0) end
  HALF_BYTES[n] = crc
end

local function record_key(prefix, name)
  local crc = -1
  for at = 1, #name do
    crc = bit.bxor(crc, string.byte(name, at))
    for _ = 1, 2 do crc = bit.bxor(bit.rshift(crc, 4), HALF_BYTES[bit.band(crc, 15)]) end
  end
  return prefix .. bit.rshift(bit.bnot(crc), 20)
end
