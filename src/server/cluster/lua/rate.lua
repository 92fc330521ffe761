-- A burst of requests, then one more each interval (GCRA), counted by Redis's own clock.
--
-- KEYS[1]: who asks. ARGV: the interval in microseconds, and how many may come at once.
-- Answers whether this one may pass, then how many more may come now, or in how many microseconds the next may; then in how many
-- microseconds all of them may come again.
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local next_full = full + interval
local early = next_full - interval * burst - now
if early > 0 then return {0, early, full - now} end
redis.call('SET', KEYS[1], string.format('%.0f', next_full), 'PX', math.ceil((next_full - now) / 1000))
return {1, math.floor(-early / interval), next_full - now}
