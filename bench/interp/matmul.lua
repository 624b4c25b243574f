-- The product of two square matrices, row by column.
local function matmul(a, b, c, n)
    for i = 0, n - 1 do
        for j = 0, n - 1 do
            local s = 0.0
            for k = 0, n - 1 do
                s = s + a[i][k] * b[k][j]
            end
            c[i][j] = s
        end
    end
end

local function check(n)
    local a, b, c = {}, {}, {}
    for i = 0, n - 1 do
        a[i], b[i], c[i] = {}, {}, {}
        for j = 0, n - 1 do
            a[i][j] = 0.5 * i - 0.25 * j
            b[i][j] = 0.125 * i + j
        end
    end
    for k = 1, 4 do
        matmul(a, b, c, n)
    end
    local total = 0.0
    for i = 0, n - 1 do
        for j = 0, n - 1 do
            total = total + c[i][j] * (i - j)
        end
    end
    return total
end

print(string.format("%.17g", check(200)))
