-- A damped spring and mass, stepped for many damping values: one chain of float arithmetic.
local function settle(damping, steps)
    local x, v = 1.0, 0.0
    for i = 1, steps do
        local a = -4.0 * x - damping * v
        v = v + 0.001 * a
        x = x + 0.001 * v
    end
    return x
end

local function sweep(count, steps)
    local best, least = 0.0, 10.0
    for k = 0, count - 1 do
        local damping = 0.1 + 0.01 * k
        local x = settle(damping, steps)
        if math.abs(x) < least then
            least = math.abs(x)
            best = damping
        end
    end
    return best + least
end

print(string.format("%.17g", sweep(2400, 10000)))
