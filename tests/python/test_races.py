"""@njit(check_races=True), and memory that arguments of parallel kernels share."""

import pickle
import unittest

from jitrun import RaceError, njit, prange
from support import error_of, needs_numpy, np


def scatter(k, y):
    for i in prange(len(k), unchecked=True):
        y[k[i]] = i
    return len(k)


def shift(a, b):
    for i in prange(len(a)):
        a[i] = b[i] + 1


@needs_numpy
class Checking(unittest.TestCase):
    def test_race(self):
        kernel = njit(check_races=True)(scatter)
        y = np.zeros(4)
        for _ in range(3):  # the second call comes by a shorter way
            error = error_of(self, RaceError, kernel, np.array([2, 0, 2]), y)
            self.assertIn("iterations i = 0 and i = 2 both write y[2]", str(error))
            self.assertIsInstance(error, RuntimeError)
        self.assertEqual(list(y), [1, 0, 2, 0])
        (found,) = error.diagnostics
        first = scatter.__code__.co_firstlineno
        self.assertEqual((found.file, found.line), (__file__, first + 2))
        self.assertEqual([place.line for place, _ in found.notes], [first + 1])
        self.assertEqual(str(pickle.loads(pickle.dumps(error))), str(error))

    def test_two_places(self):
        kernel = njit(check_races=True)(shift)
        a = np.zeros(5)
        error = error_of(self, RaceError, kernel, a[1:], a[:-1])
        self.assertIn("iteration i = 0 writes a[0], which iteration i = 1 reads", str(error))
        self.assertIn("note: iteration i = 1 reads it here", str(error))
        self.assertEqual(list(a), [0, 1, 2, 3, 4])

    def test_none(self):
        kernel = njit(check_races=True)(scatter)
        y = np.zeros(3)
        self.assertEqual(kernel(np.array([2, 0, 1]), y), 3)
        self.assertEqual(list(y), [1, 2, 0])

    def test_survives_pickling(self):
        kernel = pickle.loads(pickle.dumps(njit(check_races=True)(scatter)))
        error_of(self, RaceError, kernel, np.array([0, 0]), np.zeros(1))


@needs_numpy
class SharedMemory(unittest.TestCase):
    """Such loops run serially: the result is that of Python, on any number of threads."""

    def check(self, function, make):
        expected, got = make(), make()
        function(*expected[1:])
        njit(parallel=True)(function)(*got[1:])
        self.assertEqual(got[0].tolist(), expected[0].tolist())

    def test_overlapping_views(self):
        def later():
            a = np.arange(100000.0)
            return a, a[1:], a[:-1]

        def earlier():
            a = np.arange(100000.0)
            return a, a[:-1], a[1:]

        def backwards():
            a = np.arange(100000.0)
            return a, a, a[::-1]

        def interleaved():
            a = np.arange(100000.0)
            return a, a[::2], a[1::2]

        for make in (later, earlier, backwards, interleaved):
            self.check(shift, make)

    def test_stride_of_zero(self):
        def repeated():
            a = np.zeros(1)
            return a, np.lib.stride_tricks.as_strided(a, (50000,), (0,)), np.arange(50000.0)

        def sliding():
            a = np.zeros(50001)
            windows = np.lib.stride_tricks.as_strided(a, (50000, 2), (8, 8))
            return a, windows.T[1], np.arange(50000.0)

        for make in (repeated, sliding):
            self.check(shift, make)

    def test_windows(self):
        def fill(w):
            for i in prange(w.shape[0]):
                for j in range(w.shape[1]):
                    w[i, j] = i + j

        def sliding():
            a = np.zeros(30002)
            return a, np.lib.stride_tricks.as_strided(a, (30000, 3), (8, 8))

        self.check(fill, sliding)


if __name__ == "__main__":
    unittest.main()
