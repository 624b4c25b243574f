# The product of two square matrices, row by column.
def matmul(a, b, c, n):
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += a[i][k] * b[k][j]
            c[i][j] = s


def check(n):
    a = [[0.0] * n for i in range(n)]
    b = [[0.0] * n for i in range(n)]
    c = [[0.0] * n for i in range(n)]
    for i in range(n):
        for j in range(n):
            a[i][j] = 0.5 * i - 0.25 * j
            b[i][j] = 0.125 * i + j
    for k in range(4):
        matmul(a, b, c, n)
    total = 0.0
    for i in range(n):
        for j in range(n):
            total += c[i][j] * (i - j)
    return total


print(check(200))
