# Five bodies that attract each other: square roots, divisions, elements updated in place.
import math


def nbody(steps):
    n = 5
    x, y, z = [0.0] * n, [0.0] * n, [0.0] * n
    u, v, w = [0.0] * n, [0.0] * n, [0.0] * n
    mass = [0.0] * n
    for i in range(n):
        x[i] = 1.5 * i - 3.0
        y[i] = 0.5 * i * i - 2.0
        z[i] = 0.25 * i
        u[i] = 0.1 * i
        v[i] = 0.2 - 0.1 * i
        mass[i] = 1.0 / (1.0 + i)
    for step in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                dx = x[i] - x[j]
                dy = y[i] - y[j]
                dz = z[i] - z[j]
                square = dx * dx + dy * dy + dz * dz + 0.01
                pull = 0.001 / (square * math.sqrt(square))
                mi = mass[i] * pull
                mj = mass[j] * pull
                u[i] -= dx * mj
                v[i] -= dy * mj
                w[i] -= dz * mj
                u[j] += dx * mi
                v[j] += dy * mi
                w[j] += dz * mi
        for i in range(n):
            x[i] += 0.001 * u[i]
            y[i] += 0.001 * v[i]
            z[i] += 0.001 * w[i]
    energy = 0.0
    for i in range(n):
        energy += 0.5 * mass[i] * (u[i] * u[i] + v[i] * v[i] + w[i] * w[i])
    return energy


print(nbody(300000))
