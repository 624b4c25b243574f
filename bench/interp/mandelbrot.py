# Escape counts on a grid: float arithmetic in a while loop with two exits.
def mandelbrot(width, height, limit):
    total = 0
    for row in range(height):
        ci = 2.4 * row / height - 1.2
        for col in range(width):
            cr = 3.0 * col / width - 2.1
            zr = 0.0
            zi = 0.0
            n = 0
            while n < limit and zr * zr + zi * zi <= 4.0:
                t = zr * zr - zi * zi + cr
                zi = 2.0 * zr * zi + ci
                zr = t
                n += 1
            total += n
    return total


print(mandelbrot(640, 480, 200))
