"""A NumPy ufunc of a Python function, and a C function of another.

usage: python samples/python/ufunc.py
"""

import math

import numpy as np
from jitrun import njit, vectorize


@vectorize(["float32(float32, float32)", "float64(float64, float64)"], target="parallel")
def angle(x, y):
    """The angle of a vector, in degrees from 0 to 360."""
    degrees = math.degrees(math.atan2(y, x))
    return degrees + 360.0 if degrees < 0.0 else degrees


@njit
def quadrant(x, y):
    """The ufunc is a function of numbers for kernels."""
    return int(angle(x, y) // 90.0) + 1


def main():
    x = np.array([1.0, 0.0, -1.0, 0.0, 1.0])
    y = np.array([0.0, 1.0, 0.0, -1.0, -1.0])
    print(angle(x, y))
    print(angle(x[:, np.newaxis], y).shape)
    print([quadrant(a, b) for a, b in ((3.0, 2.0), (-3.0, 2.0), (-3.0, -2.0), (3.0, -2.0))])


if __name__ == "__main__":
    main()
