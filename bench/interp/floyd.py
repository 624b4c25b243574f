# Shortest paths between all nodes of a graph: Floyd and Warshall's three loops.
def floyd(d, n):
    for k in range(n):
        for i in range(n):
            for j in range(n):
                through = d[i][k] + d[k][j]
                if through < d[i][j]:
                    d[i][j] = through


def check(n):
    d = [[0] * n for i in range(n)]
    for i in range(n):
        for j in range(n):
            if i != j:
                d[i][j] = 1 + (i * 17 + j * 31) % 97
    floyd(d, n)
    total = 0
    for i in range(n):
        for j in range(n):
            total += d[i][j]
    return total


print(check(300))
