# The longest Collatz chain: a while loop of integer arithmetic with a branch nobody can predict.
def collatz(limit):
    best = 0
    longest = 0
    for start in range(1, limit):
        n = start
        length = 1
        while n != 1:
            if n % 2 == 0:
                n //= 2
            else:
                n = 3 * n + 1
            length += 1
        if length > longest:
            longest = length
            best = start
    return best * 1000 + longest


print(collatz(240000))
