"""What files written for numba import, for CPython."""
from jitrun import *
from jitrun import boolean, jit, njit, prange
