"""Kernels in other processes and on other threads: joblib, Dask, concurrent.futures. What is not
installed is skipped."""

import multiprocessing
import os
import time
import unittest
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import jitrun
from jitrun import njit, prange, vectorize
from support import needs_numpy, np

try:
    import joblib
except ImportError:
    joblib = None
try:
    from dask.distributed import Client, LocalCluster
except ImportError:
    LocalCluster = None

SCALE = 3


@njit
def weight(i):
    return i * SCALE


@njit(parallel=True)
def total(n):
    s = 0
    for i in prange(n):
        s += weight(i)
    return s


@vectorize("float64(float64)")
def square(x):
    return x * x


@njit
def spin(n):
    s = 0
    for i in range(n):
        s = (s * 3 + i) % 1000003
    return s


def compilations(kernel, n):
    """In a worker: the result, the process, and how many specialisations the kernel has there."""
    return kernel(n), os.getpid(), len(kernel.signatures)


EXPECTED = [sum(i * SCALE for i in range(n)) for n in range(40)]


class Processes(unittest.TestCase):
    def check(self, found):
        self.assertEqual([f[0] for f in found], EXPECTED)
        self.assertNotIn(os.getpid(), {f[1] for f in found})
        # One kernel object in each process, however often it was sent.
        self.assertEqual({f[2] for f in found}, {1})

    def test_executors(self):
        for method in ("fork", "spawn", "forkserver"):
            context = multiprocessing.get_context(method)
            with self.subTest(method), ProcessPoolExecutor(2, mp_context=context) as pool:
                self.check(list(pool.map(compilations, [total] * 40, range(40))))

    def test_a_kernel_of_a_closure(self):
        def make(k):
            @njit
            def inner(x):
                return weight(x) + k

            return inner

        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            self.assertEqual(pool.map(make(5), range(4)), [5, 8, 11, 14])

    @unittest.skipUnless(joblib, "joblib is not installed")
    def test_joblib(self):
        for backend in ("loky", "threading"):
            with self.subTest(backend):
                parallel = joblib.Parallel(2, backend=backend)
                found = parallel(joblib.delayed(compilations)(total, n) for n in range(40))
                self.assertEqual([f[0] for f in found], EXPECTED)
                if backend == "loky":
                    self.check(found)

    @unittest.skipUnless(LocalCluster, "Dask's distributed is not installed")
    def test_dask(self):
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster, Client(cluster) as client:
            self.check(client.gather(client.map(compilations, [total] * 40, range(40))))
            if np is not None:
                far = client.submit(square, np.arange(4.0)).result()
                self.assertEqual(far.tolist(), [0, 1, 4, 9])


class Threads(unittest.TestCase):
    def test_kernels_run_at_once(self):
        """While one thread is in a kernel, another does Python's work."""
        spin(10)
        n = 1000
        while True:
            start = time.perf_counter()
            spin(n)
            if time.perf_counter() - start > 0.2:
                break
            n *= 2
        with ThreadPoolExecutor(1) as pool:
            future, steps = pool.submit(spin, n * 4), 0
            while not future.done():
                steps += 1
            future.result()
        self.assertGreater(steps, 1000)

    @needs_numpy
    def test_parallel_kernels_from_many_threads(self):
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(total, [1000] * 40))
        self.assertEqual(found, [sum(range(1000)) * SCALE] * 40)


if __name__ == "__main__":
    unittest.main()
