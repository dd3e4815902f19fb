-- A topic without maxLength: the arguments of the messages begin at once, and there is always room.
local FIRST = 4
local function has_room() return true end
local function make_room() end
