"""Several kernels at once from Python's own threads: calls release the GIL.

usage: python samples/python/threads.py
"""

from concurrent.futures import ThreadPoolExecutor

from jitrun import njit


@njit
def longest_path(start, end):
    """The number below `end` that takes most steps of Collatz's rule to reach 1."""
    best, found = 0, start
    for first in range(start, end):
        n, steps = first, 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        if steps > best:
            best, found = steps, first
    return best, found


def main(parts=8, size=5000):
    with ThreadPoolExecutor() as pool:
        starts = [1 + size * part for part in range(parts)]
        found = pool.map(longest_path, starts, [start + size for start in starts])
    steps, number = max(found)
    print("%d takes %d steps" % (number, steps))


if __name__ == "__main__":
    main()
