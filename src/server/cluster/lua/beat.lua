-- A node says that it lives. KEYS: its name, its run. ARGV: the run, milliseconds that this holds for, its name.
-- A name belongs to one run at a time: two that have the same data directory must not both count under it.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
    return 'twin'
end
local known = redis.call('EXISTS', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2])
return known == 1 and 'kept' or 'fresh'
