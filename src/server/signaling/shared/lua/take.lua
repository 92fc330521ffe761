-- Whose a session is; and it is the asker's from now on where it is nobody's. KEYS: the session. ARGV: the asker, '1' where it may take
-- what is nobody's, what comes before a run in the key of its heartbeat.
if redis.call('EXISTS', ARGV[3] .. ARGV[1]) == 0 then
    -- Everything was forgotten, the asker's own heartbeat too: others have not spoken yet either.
    return {'wait'}
end
local owner, epoch, over, state = unpack(redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'over', 'state'))
if not epoch or over then
    return {'none'}
end
if owner == ARGV[1] then
    return {'taken', epoch, state}
end
if owner ~= '' and redis.call('EXISTS', ARGV[3] .. owner) == 1 then
    return {'owned', owner}
end
if ARGV[2] ~= '1' then
    return {'wait'}
end
epoch = tostring(tonumber(epoch) + 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', epoch)
return {'taken', epoch, state}
