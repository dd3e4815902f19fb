-- Note that handlers start: if the lease expires before they are settled, that was a crash and not a hand-back.
-- KEYS: the notes. ARGV: field and id of each mark.
local notes = unpack(KEYS)
go_on_when_full(notes)
mark_started(notes, ARGV, 1, #ARGV)
return 'MARKED'
