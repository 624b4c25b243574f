"""One kernel in several processes: it pickles as its source text, and each process compiles it once.

usage: python samples/python/processes.py [multiprocessing | joblib | dask]

The partial sums are those of the same parts in every way of running them.
"""

import multiprocessing
import sys

from jitrun import njit


@njit
def part(first, last):
    """The sum of 1 / k**2 for these k, the small ones first added."""
    s = 0.0
    for k in range(last - 1, first - 1, -1):
        s += 1.0 / (float(k) * float(k))
    return s


PARTS = [(first, first + 25000) for first in range(1, 200001, 25000)]


def with_multiprocessing():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return pool.starmap(part, PARTS)


def with_joblib():
    from joblib import Parallel, delayed

    return Parallel(n_jobs=2)(delayed(part)(*bounds) for bounds in PARTS)


def with_dask():
    from dask.distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, dashboard_address=None) as cluster, Client(cluster) as client:
        return client.gather([client.submit(part, *bounds) for bounds in PARTS])


WAYS = {"multiprocessing": with_multiprocessing, "joblib": with_joblib, "dask": with_dask}

if __name__ == "__main__":
    way = sys.argv[1] if len(sys.argv) > 1 else "multiprocessing"
    total = 0.0
    for value in reversed(WAYS[way]()):
        total += value
    print("%.12f" % total)
