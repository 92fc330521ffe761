-- A node is gone from now on. KEYS and ARGV as in beat.lua.
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
redis.call('DEL', KEYS[2])
return 'left'
