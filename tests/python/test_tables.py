"""Arrays outside kernels, which are constants in them."""

import pickle
import unittest

import jitrun
from jitrun import cfunc, njit, prange, vectorize
from support import error_of, needs_numpy, np

if np is not None:
    TABLE = np.array([1.0, 0.5, 0.25])
    GRID = np.arange(6).reshape(2, 3).T


class Settings:
    weights = np.array([1, 2, 3], np.int32) if np is not None else None


@njit
def pick(i):
    return TABLE[i]


@njit
def shapes(x, k=2, *, shift=1):
    s = 0.0
    for i in range(x):
        s += pick(
            i % 3,  # a comment )
        ) * k + shift + TABLE.sum()
        s += pick((i) % 3) + GRID[i % 3, 1] + Settings.weights[i % 3]
    return s + len(TABLE)


@njit
def no_parameters():
    return TABLE[0] + inner()


@njit
def inner():
    return TABLE[1]


@njit
def factorial(n, /):
    return TABLE[0] if n < 2 else n * factorial(n - 1)


@needs_numpy
class Tables(unittest.TestCase):
    def test_calls(self):
        for _ in range(3):  # compiled, and called by the library
            self.assertEqual(shapes(5), shapes.py_func(5))
            self.assertEqual(shapes(5, 3, shift=2), shapes.py_func(5, 3, shift=2))
            self.assertEqual(shapes(k=4, x=2), shapes.py_func(2, 4))
            self.assertEqual(no_parameters(), 1.5)
            self.assertEqual(factorial(5), 120.0)
        self.assertEqual(shapes.signatures, [(jitrun.int64,) * 3])
        self.assertEqual(shapes.nopython_signatures, ["float64(int64, int64, int64)"])
        self.assertEqual(no_parameters.nopython_signatures, ["float64()"])

    def test_nobody_else_passes_them(self):
        self.assertRaises(TypeError, pick)
        self.assertRaises(TypeError, pick, 0, TABLE)
        self.assertRaises(TypeError, pick, 0, TABLE=TABLE)
        self.assertRaises(TypeError, no_parameters, TABLE)
        self.assertEqual(pick(1), 0.5)
        self.assertRaises(TypeError, pick, 0, TABLE)
        self.assertRaises(TypeError, pick, 0, TABLE=TABLE)

    def test_constant(self):
        table = np.array([1, 2, 3])

        @njit
        def item(i):
            return table[i]

        self.assertEqual(item(0), 1)
        table[0] = 9
        self.assertEqual((item(0), item(np.int8(0))), (1, 1))  # the same for every specialisation
        table = np.array([5])
        self.assertEqual(item(np.int16(0)), 1)

    def test_two_arrays_of_one_name(self):
        def make(values):
            table = np.array(values)

            @njit
            def item(i):
                return table[i]

            return item

        first, second = make([1, 2]), make([1.5, 2.5])

        @njit
        def both(i):
            table = i
            return first(table) + second(i) * 10

        self.assertEqual(both(1), 27.0)

    def test_signatures_and_annotations(self):
        @njit(["float64(int64)", "float64(float64)"])
        def scaled(x):
            return TABLE[1] * x

        @njit
        def annotated(x: float) -> float:
            return scaled(x) + TABLE[2]

        self.assertEqual((scaled(3), scaled(3.0), annotated(2)), (1.5, 1.5, 1.25))

    def test_parallel(self):
        @njit(parallel=True)
        def total(n):
            s = 0.0
            for i in prange(n):
                s += TABLE[i % 3] + pick(i % 3)
            return s

        self.assertEqual(total(3000), total.py_func(3000))

    def test_errors(self):
        @njit
        def write(i):
            TABLE[i] = 3.0

        self.assertIn("'TABLE'", str(error_of(self, TypeError, write, 0)))
        self.assertIn("read-only", str(error_of(self, TypeError, write, 0)))
        error = error_of(self, IndexError, shapes.py_func.__globals__["pick"], 7)
        self.assertIn("index 7", str(error))
        frame = error.__traceback__
        while frame.tb_next:
            frame = frame.tb_next
        self.assertEqual(frame.tb_lineno, pick.py_func.__code__.co_firstlineno + 2)
        words = np.array(["a"])

        @njit
        def strings():
            return len(words)

        self.assertIn("an array of <U1", str(error_of(self, jitrun.TypingError, strings)))

    def test_the_caret_in_an_edited_line(self):
        @njit
        def wrong(x):
            return pick(x) + pick(x).nothing

        text = str(error_of(self, jitrun.TypingError, wrong, 1))
        lines = text.split("\n")
        at = [i for i, line in enumerate(lines) if "return pick" in line][0]
        self.assertEqual(lines[at].index("nothing"), lines[at + 1].index("^"), text)

    def test_c_code_cannot_pass_them(self):
        with self.assertRaisesRegex(TypeError, "'TABLE'"):

            @cfunc("float64(int64)")
            def by_address(i):
                return TABLE[i]

    def test_ufuncs_pass_them(self):
        @njit
        def twice(i):
            return TABLE[i] * 2

        @vectorize(["float64(int64)"], target="parallel")
        def declared(i):
            return TABLE[i]

        @vectorize
        def lazy(i, k):
            return twice(i) * k + TABLE[0]

        i = np.arange(3)
        self.assertEqual(declared(i).tolist(), TABLE[i].tolist())
        self.assertEqual(declared(i[::-1]).tolist(), TABLE[i[::-1]].tolist())
        self.assertEqual(lazy(i, 2).tolist(), (TABLE[i] * 4 + TABLE[0]).tolist())
        self.assertEqual(lazy(i, 0.5).tolist(), (TABLE[i] + TABLE[0]).tolist())
        self.assertIn("index 5 is out of bounds", str(error_of(self, IndexError, declared, [1, 5])))
        copy = pickle.loads(pickle.dumps(lazy))
        self.assertEqual(copy(1, 2), TABLE[1] * 4 + TABLE[0])

    def test_results(self):
        @njit
        def whole():
            return TABLE

        found = whole()
        self.assertEqual(found.tolist(), [1.0, 0.5, 0.25])
        self.assertFalse(found.flags.writeable)

    def test_pickle(self):
        pick(0)
        copy = pickle.loads(pickle.dumps(shapes))
        copy._uuid = None
        self.assertEqual(copy(4), shapes(4))

    def test_bench(self):
        bench = shapes.bench(3, seconds=0.05, rows="interp", against="cpython")
        self.assertTrue(bench.agrees, bench.text())


if __name__ == "__main__":
    unittest.main()
