"""A kernel over MPI: each process heats its part of a rod and swaps the ends with its neighbours.

usage: mpirun -n 2 python samples/python/mpi.py [POINTS STEPS]

The result is the same for any number of processes. Needs mpi4py.
"""

import sys

import numpy as np
from mpi4py import MPI

from jitrun import njit


@njit
def step(old, new):
    """One step of the parts between the ends, which are the neighbours' or fixed."""
    for i in range(1, len(old) - 1):
        new[i] = old[i] + 0.25 * (old[i - 1] - 2.0 * old[i] + old[i + 1])


def heat(comm, points, steps):
    """The whole rod after so many steps, on rank 0."""
    rank, size = comm.rank, comm.size
    first, last = points * rank // size, points * (rank + 1) // size
    old = np.zeros(last - first + 2)
    if first <= points // 2 < last:
        old[1 + points // 2 - first] = 1000.0
    new = old.copy()
    left = rank - 1 if rank > 0 else MPI.PROC_NULL
    right = rank + 1 if rank + 1 < size else MPI.PROC_NULL
    for _ in range(steps):
        comm.Sendrecv(old[1:2], left, recvbuf=old[-1:], source=right)
        comm.Sendrecv(old[-2:-1], right, recvbuf=old[:1], source=left)
        step(old, new)
        old, new = new, old
    parts = comm.gather(old[1:-1])
    return np.concatenate(parts) if rank == 0 else None


def main(points=1000, steps=400):
    comm = MPI.COMM_WORLD
    rod = heat(comm, points, steps)
    if comm.rank == 0:
        print("hottest %.9f, sum %.9f" % (rod.max(), rod.sum()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
