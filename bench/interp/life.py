# The game of life on a grid with a border: sums of neighbours in two dimensions, branches.
def step(a, b, rows, cols):
    for i in range(1, rows - 1):
        for j in range(1, cols - 1):
            n = (a[i - 1][j - 1] + a[i - 1][j] + a[i - 1][j + 1]
                 + a[i][j - 1] + a[i][j + 1]
                 + a[i + 1][j - 1] + a[i + 1][j] + a[i + 1][j + 1])
            if n == 3 or (n == 2 and a[i][j] == 1):
                b[i][j] = 1
            else:
                b[i][j] = 0


def life(rows, cols, steps):
    a = [[0] * cols for i in range(rows)]
    b = [[0] * cols for i in range(rows)]
    for i in range(1, rows - 1):
        for j in range(1, cols - 1):
            if (i * 3 + j * j * 5 + i * j) % 7 < 3:
                a[i][j] = 1
    for k in range(steps):
        step(a, b, rows, cols)
        step(b, a, rows, cols)
    alive = 0
    for i in range(rows):
        for j in range(cols):
            alive += a[i][j]
    return alive


print(life(128, 128, 175))
