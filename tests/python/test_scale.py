"""Kernels in other processes and on other threads: joblib, Dask, concurrent.futures. What is not
installed is skipped."""

import contextlib
import multiprocessing
import os
import time
import unittest
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import jitrun
from jitrun import njit, prange, vectorize
from support import needs, needs_numpy, np


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

    @needs("joblib")
    def test_joblib(self):
        import joblib

        for backend in ("loky", "threading"):
            with self.subTest(backend):
                parallel = joblib.Parallel(2, backend=backend)
                found = parallel(joblib.delayed(compilations)(total, n) for n in range(40))
                self.assertEqual([f[0] for f in found], EXPECTED)
                if backend == "loky":
                    self.check(found)

    @needs("distributed")
    def test_dask(self):
        from dask.distributed import Client, LocalCluster

        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster, Client(cluster) as client:
            self.check(client.gather(client.map(compilations, [total] * 40, range(40))))
            if np is not None:
                far = client.submit(square, np.arange(4.0)).result()
                self.assertEqual(far.tolist(), [0, 1, 4, 9])


@njit
def wander(n):
    while n != 1 and n < 2**62:
        n = n // 2 if n % 2 == 0 else n + 2
    return n


@njit
def pass_over(n):
    x = np.zeros(1000)
    s = 0.0
    for k in range(n):
        for i in range(1000):
            x[i] += k
        s += x[k % 1000]
    return s


@njit
def fill_new(n):
    return np.zeros(n * 100).sum()


@njit
def sort_new(n):
    x = np.arange(n * 10)[::-1].copy()
    x.sort()
    return x[0]


@njit
def sum_all(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i]
    return s


@njit
def lines(n):
    print(n)
    s = 0
    for i in range(n):
        s = (s * 3 + i) % 1000003
    return s


@njit
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Threads(unittest.TestCase):
    def check_at_once(self, kernel, argument):
        """While one thread is in a kernel, another does Python's work. `argument(k)` is for a kernel
        that takes twice as long with each k."""
        kernel(argument(0))
        k, took = 0, 0.0
        while took < 0.1:
            k += 1
            prepared = argument(k)
            start = time.perf_counter()
            kernel(prepared)
            took = time.perf_counter() - start
        prepared = argument(k + 1)
        with ThreadPoolExecutor(1) as pool:
            future, steps = pool.submit(kernel, prepared), 0
            while not future.done():
                steps += 1
            future.result()
        self.assertGreater(steps, 1000)

    def test_kernels_run_at_once(self):
        self.check_at_once(spin, lambda k: 1000 << k)

    def test_recursion(self):
        self.check_at_once(fib, lambda k: 10 + k)

    def test_after_printing(self):
        with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
            self.check_at_once(lines, lambda k: 1000 << k)

    @needs_numpy
    def test_kernels_with_arrays(self):
        self.check_at_once(pass_over, lambda k: 10 << k)
        self.check_at_once(fill_new, lambda k: 1000 << k)
        self.check_at_once(sort_new, lambda k: 1000 << k)
        self.check_at_once(sum_all, lambda k: np.broadcast_to(1.0, 1000 << k))

    @needs_numpy
    def test_everything_from_many_threads(self):
        """New types, known ones, keywords, errors, new kernels: without a GIL too."""

        @njit
        def add(a, b):
            return a + b

        @njit
        def pair(t, k=3):
            return t[0] * k, t[1]

        @njit
        def bad(x):
            return x[len(x)]

        kinds = "i1 i2 i4 i8 u1 u2 u4 f4 f8".split()
        shared = [np.arange(50).astype(kind) for kind in kinds]

        def work(seed):
            for k in range(25):
                x = shared[(seed * 7 + k) % len(kinds)]
                self.assertEqual(sum_all(x), 1225.0)
                self.assertEqual((add(x, x)[3], add(k, 2.5)), (6, k + 2.5))
                self.assertEqual((pair((1.5, 2)), pair(t=(2, True), k=2)), ((4.5, 2), (4, True)))
                self.assertEqual((total(100), square(x)[3]), (sum(range(100)) * SCALE, 9))
                with self.assertRaisesRegex(IndexError, "index 50"):
                    bad(x)

                @njit
                def local(a):
                    return a + k

                self.assertEqual(local(1), 1 + k)
            return seed

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(sorted(pool.map(work, range(8))), list(range(8)))

    @needs_numpy
    def test_as_many_kernels_as_threads(self):
        """Each waits in its kernel until the others are in theirs."""
        for engine in filter(jitrun.engine_available, ("interp", "tcc", "llvm")):

            @njit(engine=engine)
            def meet(here, me):
                here[me] = 1
                there = 0
                while there < len(here):
                    there = 0
                    for i in range(len(here)):
                        there += here[i]
                return there

            here = np.ones(5, np.int64)
            meet(here, 0)
            here[:] = 0
            with self.subTest(engine), ThreadPoolExecutor(5) as pool:
                futures = [pool.submit(meet, here, i) for i in range(5)]
                try:
                    self.assertEqual([f.result(60) for f in futures], [5] * 5)
                finally:
                    here[:] = 1

    def test_errors_and_results_after_the_gil_was_released(self):
        """And before that: one thread's kernels are short, the others' long."""

        @njit
        def fails(n):
            s = 0
            for i in range(n):
                s = (s * 3 + i) % 1000003
            if n % 2:
                raise ValueError("odd")
            return s

        def result(n):
            try:
                return fails(n)
            except ValueError as error:
                return str(error)

        sizes = [3, 10, 100001, 100000, 1000001, 1000000, 5, 6] * 8
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(result, sizes))
        expected = {n: "odd" if n % 2 else fails(n) for n in set(sizes)}
        self.assertEqual(found, [expected[n] for n in sizes])

    @needs_numpy
    def test_parallel_kernels_from_many_threads(self):
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(total, [1000] * 40))
        self.assertEqual(found, [sum(range(1000)) * SCALE] * 40)


if __name__ == "__main__":
    unittest.main()
