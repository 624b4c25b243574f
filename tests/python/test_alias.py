"""Arguments that share memory, with different element types: every write is seen by the next read."""

import unittest

import jitrun
from jitrun import njit, prange
from support import needs_numpy, np

ENGINES = [name for name in ("interp", "tcc", "llvm") if jitrun.engine_available(name)]


def one_element(x, bits):
    bits[0] = 7
    x[0] = 1.0
    return bits[0]


def loop(x, bits):
    total = 0
    for i in range(len(x)):
        x[i] = 1.5 * i
        total += bits[0] & 1023
        bits[0] = i
    return total


def nested(x, bits):
    for i in range(2):
        for j in range(len(x)):
            x[j] += 1.0
            bits[i] += bits[j] >> 60
    return bits.sum()


def whole(x, bits):
    x[1:] = bits[:-1] + 1
    return x.sum()


def copied(x, bits):
    x[1:] = bits[:-1]
    x[:-2] = x[2:] + bits[:-2]
    return x.sum()


def masked(x, bits):
    bits[bits > 5] = 3
    x[x < 1.0] = 2.0
    return bits[0]


def parallel(x, bits):
    for i in prange(len(x)):
        x[i] = bits[len(x) - 1 - i] * 0.5
    return x[0]


@needs_numpy
class Alias(unittest.TestCase):
    def check(self, function, **options):
        start = np.arange(1.0, 9.0)
        for engine in ENGINES:
            kernel = njit(engine=engine, **options)(function)
            for code, step in (("i8", 1), ("i8", -1), ("f4", 1), ("i2", 1)):
                with self.subTest(engine=engine, dtype=code):
                    want, got = start.copy(), start.copy()
                    answers = []
                    for run, x in ((function, want), (kernel, got)):
                        view = x.view(code)[: len(x)][::step]
                        if code == "f4" and function not in (whole, copied):
                            continue  # shifts and masks are for integers
                        with np.errstate(all="ignore"):
                            answers.append(run(x, view))
                    np.testing.assert_array_equal(got.view("i8"), want.view("i8"))
                    self.assertEqual(answers[:1], answers[1:])

    def test_scalars(self):
        self.check(one_element)

    def test_loops(self):
        self.check(loop)
        self.check(nested)

    def test_whole_arrays(self):
        self.check(whole)
        self.check(copied)
        self.check(masked)

    def test_parallel_loops_are_run_in_order(self):
        self.check(parallel, parallel=True)


if __name__ == "__main__":
    unittest.main()
