# The primes below n: stores with a stride, a branch on an element.
def sieve(n):
    flags = [True] * (n + 1)
    count = 0
    for i in range(2, n + 1):
        if flags[i]:
            count += 1
            for j in range(i * i, n + 1, i):
                flags[j] = False
    return count


total = 0
for k in range(24):
    total += sieve(1000000)
print(total)
