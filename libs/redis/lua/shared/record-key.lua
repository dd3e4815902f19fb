-- For scripts that learn a record's name from a stored message: the key of the bucket it lies in, as keys.ts works it out.
-- The first 12 bits of the CRC-32 (IEEE 802.3) of its name, half a byte at a time.
local function record_key(prefix, name)
  local half_bytes = {
    [0] = 0, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
  }
  local bxor, band, rshift, crc = bit.bxor, bit.band, bit.rshift, -1
  for at = 1, #name do
    crc = bxor(crc, string.byte(name, at))
    crc = bxor(rshift(crc, 4), half_bytes[band(crc, 15)])
    crc = bxor(rshift(crc, 4), half_bytes[band(crc, 15)])
  end
  return prefix .. rshift(bit.bnot(crc), 20)
end
