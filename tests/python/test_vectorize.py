"""@vectorize makes NumPy ufuncs."""

import gc
import math
import pickle
import unittest
import weakref
from concurrent.futures import ThreadPoolExecutor

import jitrun
from jitrun import njit, vectorize
from support import error_of, needs_numpy, np


@vectorize
def add(a, b):
    """Adds."""
    return a + b


@vectorize(["float32(float32, float32)", "float64(float64, float64)"], identity=0)
def hypot(a, b):
    return math.sqrt(a * a + b * b)


@vectorize(target="parallel")
def poly(x):
    return x * x + 1


@vectorize("int64(int64, int64)")
def divide(a, b):
    return a // b


@needs_numpy
class Vectorize(unittest.TestCase):
    def same(self, result, expected):
        self.assertEqual(getattr(result, "dtype", None), getattr(expected, "dtype", None))
        np.testing.assert_array_equal(result, expected)

    def test_types_as_they_come(self):
        x, n = np.linspace(0, 1, 12).reshape(3, 4), np.arange(4)
        self.same(add(x, x), x + x)
        self.same(add(n, n), n + n)
        self.same(add(n, n[::-1]), n + n[::-1])
        self.same(add(x, n), x + n)
        self.same(add(x.astype("f4"), 2.5), x.astype("f4") + np.float32(2.5))
        self.same(add(n.astype("i2"), 3), n.astype("i2") + np.int16(3))
        self.same(add(n, 0.5), n + 0.5)
        self.same(add(x.astype("f4"), np.float64(2.5)), x.astype("f4") + x * 0 + 2.5)
        self.assertEqual(add(1, 2), 3)
        self.assertEqual(type(add(1, 2)), np.int64)
        self.assertEqual(add(1, 2.5), 3.5)
        self.same(add([1, 2], (3, 4)), np.array([4, 6]))
        self.assertRaises(TypeError, add, x, x, x, x)
        self.assertRaises(TypeError, add, x)
        self.assertRaises(TypeError, add, x.astype(complex), 1)

    def test_shapes_and_strides(self):
        x = np.arange(60.0).reshape(3, 4, 5)
        for a, b in (
            (x, x[0]), (x[:, :, :1], x[0, 0]), (x[::2, ::-1], 2.0), (x.T, x.T), (x.T, x[2, 1, 0]),
            (x[:0], x[:0]), (np.array(2.0), x[0]), (np.asfortranarray(x), x),
        ):  # fmt: skip
            self.same(add(a, b), a + b)
        field = np.zeros(5, [("a", "f8"), ("b", "i1")])["a"]
        self.same(add(field, 1.0), field + 1.0)
        self.same(add(np.arange(3.0).astype(">f8"), 1.0), np.arange(3.0) + 1.0)
        self.assertRaises(ValueError, add, np.zeros(3), np.zeros(4))

    def test_keywords_and_methods_are_numpys(self):
        x = np.arange(6.0)
        out = np.zeros(6)
        self.assertIs(hypot(x, x, out=out), out)
        self.same(out, np.sqrt(x * x + x * x))
        self.assertIs(add(x, x, out), out)
        self.same(out, x + x)
        out[:] = -1
        hypot(x, x, out=out, where=x > 3)
        self.assertEqual(out[:4].tolist(), [-1] * 4)
        self.assertAlmostEqual(hypot.reduce(np.full(4, 3.0)), 6.0)
        self.same(add.reduce(np.ones((2, 3)), axis=0), np.full(3, 2.0))
        self.same(add.accumulate(x), np.cumsum(x))
        self.same(add.outer(x, x), np.add.outer(x, x))
        self.assertEqual((hypot.nin, hypot.nout, hypot.nargs, hypot.ntypes), (2, 1, 3, 2))
        self.assertEqual(hypot.types, ["ff->f", "dd->d"])
        self.assertEqual(hypot.identity, 0)
        self.assertIsInstance(hypot.ufunc, np.ufunc)
        x += 1
        add(x, 1.0, out=x)
        self.same(x, np.arange(2.0, 8.0))
        add(x[:-1], 1.0, out=x[1:])  # overlapping
        self.same(x, np.array([2.0, 3, 4, 5, 6, 7]))

    def test_methods_make_loops_too(self):
        @vectorize
        def add(a, b):
            return a + b

        x = np.arange(6.0)
        self.assertEqual(add.reduce(x), 15.0)
        self.assertEqual(add.accumulate(np.arange(4, dtype=np.int32)).tolist(), [0, 1, 3, 6])
        self.assertEqual(add.reduceat(x, [0, 3]).tolist(), [3.0, 12.0])
        self.assertEqual(add.outer([1, 2], [1.5, 2]).tolist(), [[2.5, 3.0], [3.5, 4.0]])
        self.assertEqual(add.reduce(np.ones((2, 3)), axis=1, dtype=np.float32).tolist(), [3, 3])
        y = np.arange(3, dtype=np.float32)
        add.at(y, [0, 0, 2], np.float32(1))
        self.assertEqual(y.tolist(), [2, 1, 3])

    def test_signatures_cast(self):
        self.assertEqual(hypot(np.float32(3), np.float32(4)).dtype, np.float32)
        self.assertEqual(hypot(np.arange(3), 1).dtype, np.float64)
        with self.assertRaises(TypeError):
            divide(1.5, 2.5)

    def test_parallel(self):
        x = np.arange(300000.0)
        self.same(poly(x), x * x + 1)
        self.same(poly(x[::2]), x[::2] * x[::2] + 1)

    def test_bools(self):
        @vectorize
        def above(x, limit):
            return x > limit

        x = np.arange(5)
        self.same(above(x, 2), x > 2)

    def test_errors(self):
        n = np.arange(2000)
        with np.errstate(all="ignore"):
            error = error_of(self, ZeroDivisionError, divide, n, n[::-1])
        self.assertIn("division", str(error))
        error = error_of(self, ZeroDivisionError, divide, 1, 0)
        self.assertEqual(divide(7, 2), 3)
        with self.assertRaises(jitrun.TypingError):

            @vectorize("float64(float64)")
            def wrong(x):
                return x.nothing

        with self.assertRaises(TypeError):

            @vectorize("(float64,)")
            def pair(x):
                return x, x

        self.assertRaises(ValueError, vectorize, "int64(int64)", target="cuda")
        self.assertRaises(ValueError, vectorize, "int64(int64)", identity=7)

    def test_many_threads_bring_many_types(self):
        @vectorize
        def twice(x):
            return x + x

        arrays = [np.arange(4).astype(d) for d in ("f8", "f4", "i8", "i4", "u2", "i1")] * 4

        with ThreadPoolExecutor(6) as pool:
            for array, result in zip(arrays, pool.map(twice, arrays)):
                self.same(result, array + array)
        self.assertEqual(twice.ntypes, 6)

    def test_from_kernels(self):
        @njit
        def use(x):
            return add(x, 2) + hypot(3.0, 4.0)

        self.assertEqual(use(1), 8.0)

    def test_pickle_and_lifetime(self):
        again = pickle.loads(pickle.dumps(hypot))
        self.assertEqual(again(3.0, 4.0), 5.0)
        self.assertEqual(again.types, hypot.types)

        def make(k):
            @vectorize("float64(float64)")
            def plus(x):
                return x + k

            return plus

        made = make(3.0)
        ufunc, gone = made.ufunc, weakref.ref(made.kernel)
        del made
        gc.collect()
        self.assertEqual(ufunc(1.0), 4.0)
        del ufunc
        gc.collect()
        self.assertIsNone(gone())


if __name__ == "__main__":
    unittest.main()
