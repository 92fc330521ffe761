-- The owner of a session writes it down. KEYS: the session. ARGV: the owner, its epoch, 'state', 'free' or 'over', the state,
-- milliseconds that it is kept for. Whoever comes later has a larger epoch, so one that was thought dead changes nothing.
local owner, epoch = unpack(redis.call('HMGET', KEYS[1], 'owner', 'epoch'))
if owner and owner ~= ARGV[1] and tonumber(epoch) >= tonumber(ARGV[2]) then
    return 'fenced'
end
if owner == ARGV[1] and tonumber(epoch) > tonumber(ARGV[2]) then
    return 'fenced'
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'owner', ARGV[3] == 'state' and ARGV[1] or '')
if ARGV[3] == 'over' then
    redis.call('HSET', KEYS[1], 'over', '1')
else
    redis.call('HSET', KEYS[1], 'state', ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'kept'
