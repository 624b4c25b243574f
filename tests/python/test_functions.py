"""Functions as arguments of kernels, and kernels made by functions."""

import math
import operator
import pickle
import textwrap
import unittest
import warnings

from jitrun import TypingError, float64, njit, vectorize
from support import error_of, needs_numpy, np


@njit
def square(x):
    return x * x


@njit
def integrate(f, a, b, n=100):
    h = (b - a) / n
    s = 0.0
    for i in range(n):
        s += f(a + (i + 0.5) * h)
    return s * h


@njit
def around(f, a):
    return integrate(f, a, a + 1.0, 10) + f(a)


@njit
def defaulted(x, f=square):
    return f(x)


@njit
def reduced(x, how: str = "sum"):
    s = 0.0
    for e in x:
        s += e
    if how == "mean":
        s /= len(x)
    elif how not in ("sum", "total"):
        raise ValueError("how is unknown")
    return s


@njit
def reduced_twice(x, how):
    return reduced(x, how), reduced(x)


@njit
def keywords(x, /, *, f):
    return f(x)


@njit
def first_only(f, /, x):
    return f(x)


@njit
def long_header(
    x,  # a number, and f
    f: "a function" = square,
    *,
    k=1
):
    return f(x) + k


def plain(x):
    return x


def scale_by(k):
    @njit
    def scaled(x):
        return x * k

    return scaled


class TestArguments(unittest.TestCase):
    def test_kernels(self):
        self.assertEqual(integrate(square, 0.0, 1.0), integrate.py_func(square.py_func, 0.0, 1.0))
        self.assertEqual(integrate(square, 0.0, 1.0), integrate(square, 0.0, 1.0))
        self.assertEqual(integrate(b=2.0, a=1.0, f=square, n=3), integrate(square, 1.0, 2.0, 3))

    def test_builtins(self):
        self.assertEqual(integrate(math.cos, 0.0, 1.0), integrate.py_func(math.cos, 0.0, 1.0))
        self.assertEqual(defaulted(-3, abs), 3)

    def test_each_function_has_code_of_its_own(self):
        kernels = [scale_by(k) for k in range(5)]
        for _ in range(2):
            self.assertEqual([defaulted(2, f) for f in kernels], [0, 2, 4, 6, 8])
        self.assertEqual([type(defaulted(x, kernels[1])) for x in (2, 2.0)], [int, float])

    def test_passed_on(self):
        self.assertEqual(around(square, 1.0), around.py_func(square, 1.0))

    def test_defaults_and_keywords(self):
        self.assertEqual(defaulted(3), 9)
        self.assertEqual(defaulted(9, f=math.sqrt), 3)
        self.assertEqual(keywords(4, f=square), 16)
        self.assertEqual(first_only(square, x=5), 25)
        self.assertEqual(long_header(3), 10)
        self.assertEqual(long_header(3, scale_by(2), k=0), 6)

    @needs_numpy
    def test_numpy(self):
        @njit
        def each(f, a):
            out = np.empty_like(a)
            for i in range(len(a)):
                out[i] = f(a[i])
            return out

        @vectorize
        def more(x):
            return x + 1

        a = np.arange(4.0)
        self.assertEqual(each(np.sqrt, a).tolist(), np.sqrt(a).tolist())
        self.assertEqual(each(more, a).tolist(), [1, 2, 3, 4])
        self.assertEqual(each(square, a).tolist(), [0, 1, 4, 9])

    @needs_numpy
    def test_operators(self):
        @njit
        def fold(f, a):
            s = a[0]
            for i in range(1, len(a)):
                s = f(s, a[i])
            return s

        a = np.array([3, 9, 2])
        self.assertEqual([fold(f, a) for f in (operator.add, operator.mul, max)], [14, 54, 9])

    @needs_numpy
    def test_types(self):
        @njit
        def ones(n, dtype):
            return np.ones(n, dtype)

        for dtype in (np.float32, np.int8, float):
            self.assertEqual(ones(2, dtype).dtype, np.dtype(dtype))

    @needs_numpy
    def test_strings(self):
        x = np.arange(4.0)
        for call in range(2):
            self.assertEqual(reduced(x), 6.0)
            self.assertEqual(reduced(x, "mean"), 1.5)
            self.assertEqual(reduced(x, how="".join(["to", "tal"])), 6.0)
            self.assertEqual(reduced_twice(x, "mean"), (1.5, 6.0))
        error = error_of(self, ValueError, reduced, x, "median")
        self.assertEqual(str(error), "how is unknown")
        self.assertEqual(pickle.loads(pickle.dumps(reduced))(x, "mean"), 1.5)

        @njit
        def marked(a, label):
            return a

        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            for i in range(101):
                self.assertEqual(marked(1, "label %d" % i), 1)
        self.assertEqual(len(found), 1)
        self.assertIn("'marked' has been compiled for 100 strings", str(found[0].message))

        @njit
        def joined(a):
            return a + "b"

        self.assertIn("'+' does not take the string 'a' and the string 'b'",
                      str(error_of(self, TypingError, joined, "a")))

    def test_bench(self):
        found = integrate.bench(square, 0.0, 1.0, seconds=0.01, rows=["interp"])
        self.assertIn("interp", str(found))

    def test_refused(self):
        error = error_of(self, TypeError, integrate, plain, 0.0, 1.0)
        self.assertEqual(
            str(error),
            "argument 1, 'f', is the Python function plain, which kernels cannot use: decorate it "
            "with @njit",
        )
        error = error_of(self, TypeError, integrate, unittest.TestCase, 0.0, 1.0)
        self.assertIn("is the class TestCase, which kernels cannot use", str(error))

        @njit
        def from_tuple(fs):
            return fs[0](1)

        error = error_of(self, TypeError, from_tuple, (square, square))
        self.assertIn("pass functions and strings as arguments of their own", str(error))
        declared = njit("float64(float64)")(lambda_like)
        error = error_of(self, TypeError, declared, square)
        self.assertIn("has signatures, which have no functions", str(error))

    def test_place_of_an_error(self):
        @njit
        def wrong(x):
            return x.foo

        error = error_of(self, TypingError, long_header, 1, wrong)
        text = str(error)
        self.assertIn("int64 has no attribute 'foo'", text)
        self.assertIn("return f(x) + k\n      |            ^", textwrap.dedent(text))

    def test_the_line_of_an_error_shows_the_functions_parameter(self):
        @njit
        def refused(f, x): return f(x) + "a"

        error = error_of(self, TypingError, refused, square, 1)
        self.assertIn('def refused(f, x): return f(x) + "a"', str(error))

    @needs_numpy
    def test_with_an_array_from_outside(self):
        table = np.array([1.0, 2.0])

        @njit
        def looked_up(x):
            return table[int(x)]

        self.assertEqual(defaulted(1.0, looked_up), 2.0)
        error = error_of(self, TypingError, around, looked_up, 0.0)
        self.assertIn("'f' uses the array 'table' from outside", str(error))


def lambda_like(x):
    return x


K = 10


@njit
def inner_hides(x):
    def g(K):
        return K + x

    return g(1) + K


@njit("float32(float32)")
def inner_returns(x):
    def g(y: float) -> float:
        return y * x

    return g(2.0)


@njit
def inner_decorated(x):
    @njit
    def power(t, p=2):
        return x * t**p

    return integrate(power, 0.0, 1.0, 10)


class TestInner(unittest.TestCase):
    def test_names(self):
        self.assertEqual(inner_hides(2), 13)

    def test_a_signature_casts_the_outer_result(self):
        self.assertEqual(inner_returns(1.5), 3.0)

    def test_passed_on(self):
        power = inner_decorated.py_func(2.0)
        self.assertEqual(inner_decorated(2.0), power)


RATE = 2


@njit
def rated(x):
    return x * RATE


@njit("float64(float64)")
def rated_float(x):
    return x * RATE


class TestRecompiling(unittest.TestCase):
    def set_rate(self, rate):
        globals()["RATE"] = rate

    def test_names_from_outside_are_looked_up_again(self):
        self.addCleanup(self.set_rate, RATE)
        self.assertEqual((rated(3), rated(1.5), rated_float(3)), (6, 3.0, 6.0))
        there = rated.signatures
        self.set_rate(5)
        self.assertEqual((rated(3), rated_float(3)), (6, 6.0))
        rated.recompile()
        rated_float.recompile()
        self.assertEqual(rated.signatures, there)
        self.assertEqual((rated(3), rated(1.5), rated_float(3)), (15, 7.5, 15.0))
        self.assertEqual(defaulted(2, rated), 10)

    @needs_numpy
    def test_arrays_from_outside(self):
        table = np.array([1.0, 2.0])

        @njit
        def looked_up(i):
            return table[i]

        self.assertEqual(looked_up(1), 2.0)
        table[1] = 7.0
        self.assertEqual(looked_up(1), 2.0)
        looked_up.recompile()
        self.assertEqual(looked_up(1), 7.0)
        self.assertEqual(looked_up(0), 1.0)


class TestFactories(unittest.TestCase):
    def test_values_are_those_of_the_closure(self):
        two, half = scale_by(2), scale_by(0.5)
        self.assertEqual((two(3), half(3), two(1.5)), (6, 1.5, 3.0))

    def test_kernels_in_closures(self):
        def composed(f, g):
            @njit(float64(float64))
            def both(x):
                return f(g(x))

            return both

        self.assertEqual(composed(square, scale_by(3))(2.0), 36.0)
        self.assertEqual(composed(scale_by(3), square)(2.0), 12.0)


if __name__ == "__main__":
    unittest.main()
