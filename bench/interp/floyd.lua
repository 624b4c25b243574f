-- Shortest paths between all nodes of a graph: Floyd and Warshall's three loops.
local function floyd(d, n)
    for k = 0, n - 1 do
        for i = 0, n - 1 do
            for j = 0, n - 1 do
                local through = d[i][k] + d[k][j]
                if through < d[i][j] then
                    d[i][j] = through
                end
            end
        end
    end
end

local function check(n)
    local d = {}
    for i = 0, n - 1 do
        d[i] = {}
        for j = 0, n - 1 do
            d[i][j] = 0
            if i ~= j then
                d[i][j] = 1 + (i * 17 + j * 31) % 97
            end
        end
    end
    floyd(d, n)
    local total = 0
    for i = 0, n - 1 do
        for j = 0, n - 1 do
            total = total + d[i][j]
        end
    end
    return total
end

print(check(300))
