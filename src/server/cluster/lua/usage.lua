-- A node tells what it counted of a month and what it holds of every limit, and asks for more; all in one stroke, so that what all
-- nodes hold together stays within each limit.
--
-- KEYS[1]: the month, a hash of `NODE FIGURE`, each figure as `several/figure.rs` writes it. Beside them `young`: until when nothing
-- new is lent, since somebody who holds something may not have told yet; and `listener`: who counts what relays of all count.
-- ARGV: node, how many times it has told, whether it is new, ms until a silent node is gone, ms for which a forgotten month is young,
-- ms until a silent listener is followed by another; then three lists, each led by its length: the node's figures (name, value),
-- those that it knows of others (`NODE FIGURE`, value), and wishes (account, limit, held, wanted).
-- Answers `stale` and the number to go on from; or `told`, whether the node was unknown, whether it listens, the wishes (account,
-- bound, left) led by their number, and then everything in the hash.
local node, told, is_new = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local gone_after, young_for, listens_for = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local next_argument = 7
local function take()
    next_argument = next_argument + 1
    return ARGV[next_argument - 1]
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end

local rows, young = {}, 0
local function row(of)
    rows[of] = rows[of] or {}
    return rows[of]
end
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
    local of, figure = string.match(stored[i], '^(%x+) (.+)$')
    if of then row(of)[figure] = tonumber(stored[i + 1])
    elseif stored[i] == 'young' then young = tonumber(stored[i + 1]) end
end
local listener = redis.call('HGET', KEYS[1], 'listener')

local function set(of, figure, value)
    if row(of)[figure] ~= tonumber(value) then
        row(of)[figure] = tonumber(value)
        redis.call('HSET', KEYS[1], of .. ' ' .. figure, value)
    end
end
-- These may go down again; the newest is true. Anything else only grows.
local function goes_down(figure)
    return figure == 'reserved' or string.match(figure, '^said:') or string.match(figure, '^bound:')
end

local unknown = row(node).told == nil
-- A request that came late, after one that the node sent later.
if not unknown and told <= row(node).told then return {'stale', whole(row(node).told)} end

for _ = 1, tonumber(take()) do
    local figure, value = take(), take()
    if goes_down(figure) or tonumber(value) > (row(node)[figure] or -1) then set(node, figure, value) end
end
set(node, 'told', whole(told))
set(node, 'heard', whole(now))

-- What this node knows of others is news only where Redis has forgotten it.
local of_others, newer = {}, {}
for i = 1, tonumber(take()) do
    local name, value = take(), take()
    local of, figure = string.match(name, '^(%x+) (.+)$')
    of_others[i] = {of, figure, value}
    if figure == 'told' then newer[of] = tonumber(value) > (row(of).told or -1) end
end
for _, other in ipairs(of_others) do
    local of, figure, value = other[1], other[2], other[3]
    if of ~= node and (newer[of] and goes_down(figure) or not goes_down(figure) and tonumber(value) > (row(of)[figure] or -1)) then
        set(of, figure, value)
    end
end
for of, is_newer in pairs(newer) do
    if is_newer and of ~= node then set(of, 'heard', whole(now)) end
end

if unknown and not is_new then
    young = now + young_for
    redis.call('HSET', KEYS[1], 'young', whole(young))
end

local function counted(figures, provider)
    return (figures['counted:' .. provider] or 0) + (figures['estimated:' .. provider] or 0)
end
local function used(figures, account)
    if account == 'month' then
        local sum = 0
        for figure, value in pairs(figures) do
            if string.match(figure, '^counted:') or string.match(figure, '^estimated:') then sum = sum + value end
        end
        return sum
    end
    local day = string.match(account, '^day:(.+)$')
    if day then return figures['today:' .. day] or 0 end
    local provider = string.match(account, '^provider:(.+)$')
    if provider then return counted(figures, provider) end
    return figures[account] or 0
end
-- What a provider says beyond what all nodes counted of it. Each tells of the whole account.
local said, summed = {}, {}
for _, figures in pairs(rows) do
    for figure, value in pairs(figures) do
        local provider = string.match(figure, '^said:(.+)$')
        if provider then said[provider] = math.max(said[provider] or 0, value) end
        provider = string.match(figure, '^counted:(.*)$') or string.match(figure, '^estimated:(.*)$')
        if provider then summed[provider] = (summed[provider] or 0) + value end
    end
end
local function beyond(account)
    local sum = 0
    for provider, value in pairs(said) do
        if account == 'month' or account == 'provider:' .. provider then
            sum = sum + math.max(0, value - (summed[provider] or 0))
        end
    end
    return sum
end

local answer = {}
for _ = 1, tonumber(take()) do
    local account, limit, held, wanted = take(), tonumber(take()), tonumber(take()), tonumber(take())
    local there_is = limit - beyond(account)
    for of, figures in pairs(rows) do
        if of ~= node then
            local lives = now - (figures.heard or 0) < gone_after
            there_is = there_is - math.max(used(figures, account), lives and figures['bound:' .. account] or 0)
        end
    end
    local bound = held
    if wanted <= held then bound = wanted
    elseif now >= young then bound = math.max(held, math.min(wanted, there_is)) end
    set(node, 'bound:' .. account, whole(bound))
    answer[#answer + 1] = account
    answer[#answer + 1] = whole(bound)
    answer[#answer + 1] = whole(math.max(0, there_is - math.max(bound, used(row(node), account))))
end

-- One of them takes note of what is told to all: whoever does it goes on for as long as it lives.
if listener == node or not listener or now - (row(listener).heard or 0) >= listens_for then
    listener = node
    redis.call('HSET', KEYS[1], 'listener', node)
end
redis.call('PEXPIRE', KEYS[1], 70 * 24 * 3600 * 1000)
local all = {'told', unknown and '1' or '0', listener == node and '1' or '0', whole(#answer / 3)}
for _, word in ipairs(answer) do all[#all + 1] = word end
for of, figures in pairs(rows) do
    if of ~= node then
        for figure, value in pairs(figures) do
            if figure ~= 'heard' then
                all[#all + 1] = of .. ' ' .. figure
                all[#all + 1] = whole(value)
            end
        end
    end
end
return all
