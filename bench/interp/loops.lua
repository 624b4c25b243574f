-- Nested counted loops over integers.
local function loops(n)
    local total = 0
    for i = 0, n - 1 do
        for j = 0, n - 1 do
            for k = 0, 19 do
                total = total + (i ~ j) - k
            end
        end
    end
    return total
end

print(loops(1400))
