# Nested counted loops over integers.
def loops(n):
    total = 0
    for i in range(n):
        for j in range(n):
            for k in range(20):
                total = total + (i ^ j) - k
    return total


print(loops(1400))
