-- The sum of a[i] * b[i], over and over: loads, a product, a sum.
local function dot(a, b, times)
    local s = 0.0
    for k = 1, times do
        for i = 1, #a do
            s = s + a[i] * b[i]
        end
    end
    return s
end

local function ramp(n, start)
    local a = {}
    for i = 1, n do
        a[i] = start + 0.5 * (i - 1)
    end
    return a
end

print(string.format("%.17g", dot(ramp(10000, 1.0), ramp(10000, 2.0), 6000)))
