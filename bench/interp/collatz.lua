-- The longest Collatz chain: a while loop of integer arithmetic with a branch nobody can predict.
local function collatz(limit)
    local best, longest = 0, 0
    for start = 1, limit - 1 do
        local n, length = start, 1
        while n ~= 1 do
            if n % 2 == 0 then
                n = n // 2
            else
                n = 3 * n + 1
            end
            length = length + 1
        end
        if length > longest then
            longest = length
            best = start
        end
    end
    return best * 1000 + longest
end

print(collatz(240000))
