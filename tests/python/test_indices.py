"""Indices that come from elements, floats and masks: results, errors, and what was stored before them, as CPython has it."""

import math
import unittest

import jitrun
from jitrun import njit
from support import needs_numpy, np

ENGINES = [name for name in ("interp", "tcc", "llvm") if jitrun.engine_available(name)]


def gather(x, index, out):
    for i in range(len(out)):
        out[i] = x[index[i]] * 2.0 + i


def scatter(x, index, out):
    for i in range(len(index)):
        out[index[i]] = x[i] - out[i]


def lerp(x, places, out):
    for i in range(len(places)):
        k = int(places[i])
        f = places[i] - k
        out[i] = x[k] * (1.0 - f) + x[k + 1] * f


def two_tables(table, x, places, out):
    for i in range(len(places)):
        p = places[i] * 0.75
        k = int(math.floor(p)) & 7
        a = table[k] + i % 3
        b = table[k + 1]
        f = p - math.floor(p)
        out[i] = f * f * (3.0 - 2.0 * f) * x[a] + (1.0 - f) * x[b] - f * x[a + 1]


def rows(image, scale, out):
    for i in range(out.shape[0]):
        y = int(i * scale)
        for j in range(out.shape[1]):
            p = j * scale
            k = int(p)
            out[i, j] = image[y, k] * (1.0 - (p - k)) + image[y, k + 1] * (p - k)


def clamped(x, k, out):
    for i in range(len(out)):
        out[i] = x[min(max(i - k, 0), len(x) - 1)] + x[min(i + k, 20)]


def count(x, index, out):
    n = 0
    for i in range(len(index)):
        if x[index[i]] > 0.5:
            n += 1
    out[0] = n


def total(x, index, out):
    s = 0.0
    for i in range(len(index)):
        s += x[index[i]]
        out[i] = s


def two_outputs(image, xs, ys, out, near):
    for i in range(len(xs)):
        a = image[ys[i], xs[i]]
        b = image[ys[i] - 1, xs[i] + 1]
        out[i + 1] = (a - b) * b + a * b - (a + b) * (a + b)
        near[i] = a * a + b * b < a


def histogram(x, index, out):
    for i in range(len(index)):
        out[index[i]] += i


def gathered(x, index, out):
    s = out[0]
    for i in range(1, len(index)):
        s += x[index[i]] * 0.5
    out[0] = s


def threes(x, k, out):
    for i in range(0, len(x) - 2, 3):
        out[k] = x[i] + x[i + 2]
        out[k + 1] += x[i + 1]
        k += 4
        out[k - 5] -= k
    return k


def leftwards(x, k, out):
    m = 3
    for i in range(len(x)):
        k -= 1
        out[m] += out[k] + x[i]
        m = m + 2


def outcome(function, args):
    """The error, if there is one, and all memory."""
    try:
        function(*args)
        error = None
    except Exception as e:
        error = (type(e), str(e))
    return error, [a.tobytes() for a in args if isinstance(a, np.ndarray)]


@needs_numpy
class Indices(unittest.TestCase):
    def same(self, function, *make):
        """The arguments are made anew for each side."""
        def args():
            return [m() if callable(m) else m for m in make]

        wanted = outcome(function, args())
        for engine in ENGINES:
            with self.subTest(engine=engine, function=function.__name__):
                self.assertEqual(outcome(njit(engine=engine)(function), args()), wanted)
        return wanted[0]

    def numbers(self, n):
        return lambda: np.sin(np.arange(n) * 1.7)

    def places(self, n, most, at=None, value=0.0):
        p = (np.arange(n) * 37 % 101) * (most / 101.0)
        if at is not None:
            p[at] = value
        return p

    def test_elements_as_indices(self):
        for kind in ("int64", "int32", "uint8", "int8"):
            for n in (0, 1, 7, 40, 700):
                index = (np.arange(n) * 31 % 50).astype(kind)
                for function in (gather, scatter, count, total, histogram, gathered):
                    with self.subTest(kind=kind, n=n):
                        out = max(n, 50) if function is not gather else n
                        self.assertIsNone(self.same(function, self.numbers(max(50, n)), index, lambda: np.ones(out)))

    def test_an_index_out_of_range_between_others(self):
        for n, at in ((1, 0), (40, 0), (40, 13), (40, 39), (700, 300), (700, 699)):
            for bad in (50, -51, 2**62, -2**62):
                index = np.arange(n) * 31 % 50
                index[at] = bad
                for function in (gather, count, total):
                    with self.subTest(n=n, at=at, bad=bad):
                        error = self.same(function, self.numbers(50), index, lambda: np.ones(n))
                        self.assertIs(error[0], IndexError)

    def test_an_index_out_of_range_in_a_histogram(self):
        for n, at in ((1, 0), (2, 1), (41, 0), (41, 13), (41, 40), (700, 300), (700, 699)):
            for bad in (50, -51, 2**62, -2**62):
                index = np.arange(n) * 31 % 50
                index[at] = bad
                for function in (histogram, gathered):
                    with self.subTest(n=n, at=at, bad=bad):
                        self.same(function, self.numbers(50), index, lambda: np.ones(50))

    def test_variables_that_grow(self):
        for function in (threes, leftwards):
            for n in (0, 1, 3, 8, 9, 31, 100):
                for k in (0, 1, 5, 60, 150, -1, -99, -200, 2**62, -2**62):
                    with self.subTest(n=n, k=k):
                        self.same(function, self.numbers(n), k, lambda: np.sin(np.arange(160) * 0.7))
            for engine in ENGINES:
                for k in (0, 2, 7, -3):
                    def shared(function, k=k):
                        x = np.sin(np.arange(160) * 0.7)
                        return outcome(function, (x[:90], k, x)) + outcome(function, (x[40:], k, x[:90]))

                    with self.subTest(engine=engine, k=k, function=function.__name__):
                        self.assertEqual(shared(njit(engine=engine)(function)), shared(function))

    def test_counting_from_the_end(self):
        index = np.arange(-50, 50)
        for function in (gather, count, total):
            self.assertIsNone(self.same(function, self.numbers(50), index, lambda: np.ones(100)))

    def test_places_between_elements(self):
        for n in (0, 1, 8, 9, 100, 1000):
            self.assertIsNone(self.same(lerp, self.numbers(20), self.places(n, 18.9), lambda: np.ones(n)))
        for at in (0, 5, 255, 256, 999):
            for value in (19.0, 19.5, -1.0, -21.0, 1e18):
                wanted = self.same(lerp, self.numbers(20), self.places(1000, 18.9, at, value), lambda: np.ones(1000))
                self.assertIs(wanted and wanted[0], None if value == -1.0 else IndexError)

    def test_tables_of_tables(self):
        table = np.array([3, 9, 0, 17, 4, 4, 11, 2, 8])
        for n in (0, 3, 64, 900):
            self.assertIsNone(self.same(two_tables, table, self.numbers(21), self.places(n, 90.0), lambda: np.ones(n)))
        for bad in (19, 20, 21, -1, -21, -22, 2**63 - 1):
            for n in (9, 900):
                wrong = table.copy()
                wrong[5] = bad
                self.same(two_tables, wrong, self.numbers(21), self.places(n, 90.0), lambda: np.ones(n))
        # Shorter tables than masks allow.
        for short in range(9):
            self.same(two_tables, table[:short].copy(), self.numbers(21), self.places(30, 90.0), lambda: np.ones(30))

    def test_rows_of_a_picture(self):
        picture = lambda: np.sin(np.arange(60) * 1.3).reshape(6, 10)  # noqa: E731
        for scale in (0.5, 0.88, 0.9, 1.0, -0.5, -2.0, 0.0, 1e17):
            self.same(rows, picture, scale, lambda: np.ones((6, 10)))
            self.same(rows, picture, scale, lambda: np.ones((0, 10)))
            self.same(rows, picture, scale, lambda: np.ones((6, 0)))

    def test_two_outputs(self):
        image = lambda: np.sin(np.arange(60) * 1.3).reshape(6, 10)  # noqa: E731
        for n in (0, 5, 512, 600):
            xs, ys = np.arange(n) * 7 % 9, (np.arange(n) * 5 % 5 + 1).astype(np.int32)
            outputs = lambda n=n: np.ones(n + 1), lambda n=n: np.ones(n, np.bool_)
            self.assertIsNone(self.same(two_outputs, image, xs, ys, *outputs))
            # Other element types, an output whose elements do not follow each other, one that is too short.
            small = lambda: image().astype(np.float32)  # noqa: E731
            self.same(two_outputs, small, xs, ys, lambda n=n: np.ones(n + 1, np.float32), outputs[1])
            self.same(two_outputs, image, xs, ys, lambda n=n: np.ones(2 * n + 2)[::2], outputs[1])
            self.same(two_outputs, image, xs, ys, outputs[0], lambda n=n: np.ones(n * 2 // 3, np.int64))
            for at in (0, 300, 599):
                for wrong, bad in ((xs, 9), (xs, -12), (ys, 6), (ys, 0), (ys, -6)):
                    if at >= n:
                        continue
                    kept, wrong[at] = wrong[at], bad
                    self.same(two_outputs, image, xs, ys, *outputs)
                    wrong[at] = kept
            empty = lambda: np.zeros((0, 10))  # noqa: E731
            self.same(two_outputs, empty, xs, ys, *outputs)

    def test_outputs_that_share_memory(self):
        def shared(function, n, shift):
            memory = np.sin(np.arange(4 * n) * 1.7)
            image = memory[:60].reshape(6, 10)
            xs, ys = np.arange(n) * 7 % 9, np.arange(n) * 5 % 5 + 1
            args = (image, xs, ys, memory[shift : shift + n + 1], memory[n : 2 * n])
            return outcome(function, args), memory.tobytes()

        for n in (60, 600):
            for shift in (0, 30, 2 * n):
                for engine in ENGINES:
                    with self.subTest(engine=engine, n=n, shift=shift):
                        compiled = njit(engine=engine)(two_outputs)
                        self.assertEqual(shared(compiled, n, shift), shared(two_outputs, n, shift))

    def test_limits(self):
        for k in (0, 3, 19, 20, 100, -5, -100):
            for n in (0, 1, 21, 30):
                self.same(clamped, self.numbers(21), k, lambda: np.ones(n))
                self.same(clamped, self.numbers(5), k, lambda: np.ones(n))

    def test_what_is_stored_is_read_again(self):
        """One array is the index and the output, or the table and the output."""
        for n in (5, 300, 700):
            x = np.arange(n) * 31 % n
            for engine in ENGINES:
                def shared(function, n=n, x=x):
                    a, f = x.copy(), np.sin(np.arange(n) * 1.7)
                    first = outcome(function, (f, a, a.view(np.float64)))
                    second = outcome(function, (f, x.copy(), f))
                    return first, second

                for function in (gather, total):
                    with self.subTest(engine=engine, n=n, function=function.__name__):
                        self.assertEqual(shared(njit(engine=engine)(function)), shared(function))

    def test_places_in_the_output(self):
        for n in (30, 600):
            def shared(function, n=n):
                p = self.places(n, 18.9)
                return outcome(function, (np.sin(np.arange(20) * 1.7), p, p)), outcome(function, (p, p, p))

            for engine in ENGINES:
                with self.subTest(engine=engine, n=n):
                    self.assertEqual(shared(njit(engine=engine)(lerp)), shared(lerp))


if __name__ == "__main__":
    unittest.main()
