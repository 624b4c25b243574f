"""Heat spreading on a plate: a kernel that calls a kernel, NumPy arrays in and out.

usage: python samples/python/heat.py [SIZE]
"""

import sys

import numpy as np
from jitrun import njit, prange

CONDUCTIVITY = 0.2


@njit
def flow(plate, i, j):
    """What flows into a cell from its neighbours."""
    around = plate[i - 1, j] + plate[i + 1, j] + plate[i, j - 1] + plate[i, j + 1]
    return CONDUCTIVITY * (around - 4 * plate[i, j])


@njit(parallel=True)
def step(plate, after):
    for i in prange(1, plate.shape[0] - 1):
        for j in range(1, plate.shape[1] - 1):
            after[i, j] = plate[i, j] + flow(plate, i, j)


def main(size=60, steps=200):
    plate = np.zeros((size, size))
    plate[0] = 100.0
    after = plate.copy()
    for _ in range(steps):
        step(plate, after)
        plate, after = after, plate
    print("a quarter down the middle: %.3f degrees" % plate[size // 4, size // 2])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
