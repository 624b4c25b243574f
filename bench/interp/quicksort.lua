-- Quicksort of a vector in place: recursion with an array, while loops over its elements.
local function quicksort(a, lo, hi)
    while lo < hi do
        local pivot = a[(lo + hi) // 2]
        local i, j = lo, hi
        while i <= j do
            while a[i] < pivot do
                i = i + 1
            end
            while a[j] > pivot do
                j = j - 1
            end
            if i <= j then
                local t = a[i]
                a[i] = a[j]
                a[j] = t
                i = i + 1
                j = j - 1
            end
        end
        quicksort(a, lo, j)
        lo = i
    end
end

local function fill(a, n)
    local seed = 42
    for i = 0, n - 1 do
        seed = (seed * 1103515245 + 12345) % 2147483648
        a[i] = seed / 2147483648.0
    end
end

local function check(a, n)
    local total = 0.0
    for i = 0, n - 1 do
        total = total + a[i] * i
    end
    return total
end

local a, n = {}, 300000
for k = 1, 4 do
    fill(a, n)
    quicksort(a, 0, n - 1)
end
print(string.format("%.17g", check(a, n)))
