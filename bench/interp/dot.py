# The sum of a[i] * b[i], over and over: loads, a product, a sum.
def dot(a, b, times):
    s = 0.0
    for k in range(times):
        for i in range(len(a)):
            s += a[i] * b[i]
    return s


def ramp(n, start):
    a = [0.0] * n
    for i in range(n):
        a[i] = start + 0.5 * i
    return a


print(dot(ramp(10000, 1.0), ramp(10000, 2.0), 6000))
