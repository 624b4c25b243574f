"""@cfunc, the number of threads, and what the compiler says of a kernel."""

import ctypes
import gc
import io
import math
import os
import pickle
import unittest
from contextlib import redirect_stdout

import jitrun
from jitrun import cfunc, float64, int64, njit, prange
from support import error_of, needs, needs_numpy, np



@cfunc("float64(float64)")
def bell(x):
    """A bell curve."""
    return math.exp(-x * x)


class CFunctions(unittest.TestCase):
    def test_call(self):
        self.assertAlmostEqual(bell.ctypes(0.5), math.exp(-0.25), 15)
        self.assertAlmostEqual(bell(0.5), math.exp(-0.25), 15)
        by_address = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(bell.address)
        self.assertEqual(by_address(1.0), bell(1.0))
        self.assertEqual(bell.prototype, "double bell(double x);")
        self.assertEqual((bell.__name__, bell.__doc__), ("bell", "A bell curve."))
        self.assertEqual(bell.py_func(0.0), 1.0)

    def test_types(self):
        @cfunc(int64(int64, "int8", "bool"))
        def mixed(a, b, c):
            return a + b if c else a - b

        self.assertEqual(mixed.ctypes(2**40, -3, True), 2**40 - 3)
        self.assertEqual(mixed.ctypes(2**40, -3, False), 2**40 + 3)

        @cfunc("float64(float64[::1], int64)")
        def item(x, i):
            return x[i]

        data = (ctypes.c_double * 3)(1.5, 2.5, 3.5)
        self.assertEqual(item.ctypes(data, 3, 2), 3.5)
        self.assertEqual(item.ctypes(data, 3, 7), 0.0)  # C code gets 0 from a call that failed

        @cfunc("void(float64[:, :], float64)")
        def fill(x, value):
            for i in range(x.shape[0]):
                for j in range(x.shape[1]):
                    x[i, j] = value

        self.assertEqual(fill.ctypes(data, 1, 2, 1, 2, 9.0), 0)
        self.assertEqual(list(data), [9.0, 2.5, 9.0])

    def test_what_cannot_be(self):
        self.assertRaises(TypeError, cfunc, bell.py_func)
        self.assertRaises(TypeError, cfunc, ["float64(float64)"])
        with self.assertRaises(TypeError):

            @cfunc("(int64, int64)")
            def pair(a, b):
                return a, b

        with self.assertRaises(jitrun.TypingError):

            @cfunc("float64(float64)")
            def wrong(x):
                return x.nothing

    def test_lifetime(self):
        def make():
            @cfunc("int64(int64)")
            def plus(n):
                return n + 5

            return plus.ctypes

        call = make()
        gc.collect()
        self.assertEqual(call(2), 7)

    def test_pickle(self):
        self.assertEqual(pickle.loads(pickle.dumps(bell)).ctypes(0.0), 1.0)

    @needs("scipy")
    def test_scipy(self):
        import scipy
        from scipy import integrate

        value, _ = integrate.quad(scipy.LowLevelCallable(bell.ctypes), -10, 10)
        self.assertAlmostEqual(value, math.sqrt(math.pi), 10)


class Threads(unittest.TestCase):
    def test_number(self):
        before = jitrun.get_num_threads()
        try:
            jitrun.set_num_threads(2)
            self.assertEqual(jitrun.get_num_threads(), 2)
            for wrong in (0, -1, 257):
                self.assertRaises(ValueError, jitrun.set_num_threads, wrong)
            self.assertRaises(TypeError, jitrun.set_num_threads, 2.0)
            self.assertEqual(jitrun.get_num_threads(), 2)
        finally:
            jitrun.set_num_threads(before)


@njit(parallel=True)
def loops(x, index, y):
    s = 0.0
    for i in prange(len(x)):
        t = x[i] * 2
        s += t
    for i in prange(len(x)):
        y[index[i]] = 1.0
    return s


class Diagnostics(unittest.TestCase):
    def printed(self, *args, **kwargs):
        out = io.StringIO()
        with redirect_stdout(out):
            loops.parallel_diagnostics(*args, **kwargs)
        return out.getvalue().rstrip("\n").split("\n")

    @needs_numpy
    def test_loops(self):
        with self.assertWarns(jitrun.JitrunWarning):
            loops(np.ones(3), np.arange(3), np.zeros(3))
        first = loops.py_func.__code__.co_firstlineno + 3
        name = os.path.abspath(__file__)
        lines = self.printed()
        self.assertEqual(len(lines), 2)
        self.assertEqual(
            lines[0].replace(__file__, name),
            "%s:%d:5: prange in loops(float64[::1], int64[::1], float64[::1]): parallel"
            % (name, first),
        )
        self.assertIn(": serial: ", lines[1])
        self.assertTrue(lines[1].endswith("(line %d)" % (first + 4)), lines[1])
        more = self.printed("(float64[::1], int64[::1], float64[::1])", level=2)
        self.assertEqual(more[1:3], ["    reductions: s (+)", "    private: t"])

    @needs_numpy
    def test_whole_arrays(self):
        @njit(parallel=True)
        def moved(a):
            a[:] = a[::-1] + 1.0
            return np.cumsum(a)

        moved(np.ones(3))
        out = io.StringIO()
        with redirect_stdout(out):
            moved.parallel_diagnostics(level=2)
        first = moved.py_func.__code__.co_firstlineno + 2
        lines = [line.split(": ", 1) for line in out.getvalue().rstrip("\n").split("\n")]
        self.assertTrue(lines[0][0].endswith(":%d:13" % first), lines)
        self.assertEqual(lines[0][1], "whole arrays in moved(float64[::1]): parallel where large")
        self.assertEqual(lines[1][0], "    temporary array, if it turns out to be needed")
        self.assertEqual(lines[2][1].split(": ", 1)[1], "serial: a running sum goes from left to right")

    def test_inspect(self):
        @njit
        def plus(n):
            return n + 1

        plus(1), plus(1.0)
        self.assertEqual(sorted(map(str, plus.inspect_ir())), ["(float64,)", "(int64,)"])
        self.assertIn("float64", plus.inspect_ir((float64,)))
        self.assertIn("float64", plus.inspect_ir("(float64)"))
        self.assertRaises(KeyError, plus.inspect_ir, (jitrun.int8,))
        self.assertEqual(plus.signatures, [(int64,), (float64,)])


if __name__ == "__main__":
    unittest.main()
