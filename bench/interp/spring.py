# A damped spring and mass, stepped for many damping values: one chain of float arithmetic.
def settle(damping, steps):
    x = 1.0
    v = 0.0
    for i in range(steps):
        a = -4.0 * x - damping * v
        v += 0.001 * a
        x += 0.001 * v
    return x


def sweep(count, steps):
    best = 0.0
    least = 10.0
    for k in range(count):
        damping = 0.1 + 0.01 * k
        x = settle(damping, steps)
        if abs(x) < least:
            least = abs(x)
            best = damping
    return best + least


print(sweep(2400, 10000))
