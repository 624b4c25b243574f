# Quicksort of a vector in place: recursion with an array, while loops over its elements.
def quicksort(a, lo, hi):
    while lo < hi:
        pivot = a[(lo + hi) // 2]
        i = lo
        j = hi
        while i <= j:
            while a[i] < pivot:
                i += 1
            while a[j] > pivot:
                j -= 1
            if i <= j:
                t = a[i]
                a[i] = a[j]
                a[j] = t
                i += 1
                j -= 1
        quicksort(a, lo, j)
        lo = i


def fill(a):
    seed = 42
    for i in range(len(a)):
        seed = (seed * 1103515245 + 12345) % 2147483648
        a[i] = seed / 2147483648.0


def check(a):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * i
    return total


a = [0.0] * 300000
for k in range(4):
    fill(a)
    quicksort(a, 0, len(a) - 1)
print(check(a))
