-- Five bodies that attract each other: square roots, divisions, elements updated in place.
local sqrt = math.sqrt

local function nbody(steps)
    local n = 5
    local x, y, z, u, v, w, mass = {}, {}, {}, {}, {}, {}, {}
    for i = 0, n - 1 do
        x[i] = 1.5 * i - 3.0
        y[i] = 0.5 * i * i - 2.0
        z[i] = 0.25 * i
        u[i] = 0.1 * i
        v[i] = 0.2 - 0.1 * i
        w[i] = 0.0
        mass[i] = 1.0 / (1.0 + i)
    end
    for step = 1, steps do
        for i = 0, n - 1 do
            for j = i + 1, n - 1 do
                local dx = x[i] - x[j]
                local dy = y[i] - y[j]
                local dz = z[i] - z[j]
                local square = dx * dx + dy * dy + dz * dz + 0.01
                local pull = 0.001 / (square * sqrt(square))
                local mi = mass[i] * pull
                local mj = mass[j] * pull
                u[i] = u[i] - dx * mj
                v[i] = v[i] - dy * mj
                w[i] = w[i] - dz * mj
                u[j] = u[j] + dx * mi
                v[j] = v[j] + dy * mi
                w[j] = w[j] + dz * mi
            end
        end
        for i = 0, n - 1 do
            x[i] = x[i] + 0.001 * u[i]
            y[i] = y[i] + 0.001 * v[i]
            z[i] = z[i] + 0.001 * w[i]
        end
    end
    local energy = 0.0
    for i = 0, n - 1 do
        energy = energy + 0.5 * mass[i] * (u[i] * u[i] + v[i] * v[i] + w[i] * w[i])
    end
    return energy
end

print(string.format("%.17g", nbody(300000)))
