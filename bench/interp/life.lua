-- The game of life on a grid with a border: sums of neighbours in two dimensions, branches.
local function step(a, b, rows, cols)
    for i = 1, rows - 2 do
        for j = 1, cols - 2 do
            local n = a[i - 1][j - 1] + a[i - 1][j] + a[i - 1][j + 1]
                + a[i][j - 1] + a[i][j + 1]
                + a[i + 1][j - 1] + a[i + 1][j] + a[i + 1][j + 1]
            if n == 3 or (n == 2 and a[i][j] == 1) then
                b[i][j] = 1
            else
                b[i][j] = 0
            end
        end
    end
end

local function zeros(rows, cols)
    local a = {}
    for i = 0, rows - 1 do
        local row = {}
        for j = 0, cols - 1 do
            row[j] = 0
        end
        a[i] = row
    end
    return a
end

local function life(rows, cols, steps)
    local a, b = zeros(rows, cols), zeros(rows, cols)
    for i = 1, rows - 2 do
        for j = 1, cols - 2 do
            if (i * 3 + j * j * 5 + i * j) % 7 < 3 then
                a[i][j] = 1
            end
        end
    end
    for k = 1, steps do
        step(a, b, rows, cols)
        step(b, a, rows, cols)
    end
    local alive = 0
    for i = 0, rows - 1 do
        for j = 0, cols - 1 do
            alive = alive + a[i][j]
        end
    end
    return alive
end

print(life(128, 128, 175))
