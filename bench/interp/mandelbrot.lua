-- Escape counts on a grid: float arithmetic in a while loop with two exits.
local function mandelbrot(width, height, limit)
    local total = 0
    for row = 0, height - 1 do
        local ci = 2.4 * row / height - 1.2
        for col = 0, width - 1 do
            local cr = 3.0 * col / width - 2.1
            local zr, zi, n = 0.0, 0.0, 0
            while n < limit and zr * zr + zi * zi <= 4.0 do
                local t = zr * zr - zi * zi + cr
                zi = 2.0 * zr * zi + ci
                zr = t
                n = n + 1
            end
            total = total + n
        end
    end
    return total
end

print(mandelbrot(640, 480, 200))
