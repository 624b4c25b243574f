"""Calls that go straight into the library (runtime/python/pycall.c): what they take, and that what they do
not take comes out the same by the other way."""

import gc
import pickle
import sys
import threading
import traceback
import unittest
import weakref

import jitrun
from jitrun import njit
from support import error_of, needs_numpy, np


def python_calls(function, *args):
    """The names of the Python functions that a call runs, and its result."""
    names = []

    def note(frame, event, arg):
        if event == "call":
            names.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        result = function(*args)
    finally:
        sys.setprofile(None)
    return names, result


class Direct(unittest.TestCase):
    def check(self, kernel, *args):
        """The second call of such arguments runs no Python and gives what the first did."""
        first = kernel(*args)
        names, second = python_calls(kernel, *args)
        self.assertEqual(names, [], args)
        self.assertEqual(type(first), type(second))
        self.assertEqual(first, second)
        expected = kernel.py_func(*args)
        self.assertEqual(second, expected)
        return second

    def test_numbers(self):
        @njit
        def add(a, b):
            return a + b

        for args in ((1.5, 2.25), (2, 3), (2, 0.5), (0.5, 2), (-(2**63), 5), (2**63 - 1, 0)):
            self.check(add, *args)

        @njit
        def choose(c, a):
            return a if c else -a

        self.assertEqual(self.check(choose, True, 4), 4)
        self.assertEqual(self.check(choose, False, 4), -4)

    def test_no_arguments_and_none(self):
        @njit
        def nothing():
            return None

        @njit
        def third(a, b):
            return b

        self.assertIsNone(self.check(nothing))
        self.assertEqual(self.check(third, None, 3), 3)

    def test_tuples(self):
        @njit
        def nested(p, x):
            return p[0] + x, (p[1][0], p[1][1] > 2)

        self.check(nested, (1, (2.5, 3)), 7)
        self.check(nested, (1.0, (2, 3.0)), 7)
        self.assertEqual(nested((1, (2.5, 1)), 7), (8, (2.5, False)))
        with self.assertRaises(jitrun.TypingError):
            nested((1, 2), 7)
        with self.assertRaises(jitrun.TypingError):
            nested((1, (2.5,)), 7)

    def test_declared_types_convert(self):
        @njit("float32(float32, int8)")
        def declared(x, n):
            return x * n

        self.assertEqual(self.check(declared, 1.5, 3), 4.5)
        self.assertEqual(self.check(declared, 2, 3), 6.0)
        with self.assertRaises(TypeError):
            declared(1.5, 128)
        self.assertEqual(declared(1.5, -128), -192.0)

    def test_ints_beyond_int64(self):
        @njit
        def same(n):
            return n

        self.check(same, 5)
        self.assertEqual(same(2**64 - 1), 2**64 - 1)
        self.assertEqual(same(-7), -7)
        self.assertRaises(OverflowError, same, 2**64)
        self.assertRaises(OverflowError, same, -(2**63) - 1)

    def test_ints_of_every_length(self):
        @njit
        def same(n):
            return n

        for bits in range(64):
            for n in {2**bits - 1, min(2**bits, 2**63 - 1), -(2**bits), 1 - 2**bits, ~(2**bits - 1)}:
                self.assertEqual(same(n), n)
        for n in range(-300, 300):
            self.assertEqual(same(n), n)

    def test_an_error_and_then_none(self):
        @njit
        def divide(a, b):
            return a // b

        for _ in range(3):
            self.assertEqual(divide(7, 2), 3)
            self.assertRaises(ZeroDivisionError, divide, 7, 0)
        self.assertEqual(divide(7, -2), -4)

    def test_subclasses_are_not_taken_for_their_base(self):
        class Metres(float):
            pass

        @njit
        def twice(x):
            return x * 2

        twice(1.5)
        twice(1)
        self.assertEqual(twice(Metres(2.5)), 5.0)
        self.assertEqual(twice(True), 2)
        self.assertRaises(TypeError, twice, object())
        self.assertRaises(TypeError, twice, 1j)

    def test_keywords_and_defaults(self):
        @njit
        def scale(x, by=2):
            return x * by

        @njit
        def strict(x, *, by=2):
            return x * by

        @njit
        def first(a, /, b=2):
            return a * 100 + b

        self.check(scale, 3.0, 4)
        self.check(scale, 3.0)
        for call in (
            lambda: scale(3.0, by=5), lambda: scale(by=5, x=3.0), lambda: scale(x=3.0),
            lambda: strict(3), lambda: strict(3, by=4), lambda: strict(x=3, by=4),
            lambda: first(3), lambda: first(3, b=7), lambda: first(3, 7),
        ):  # fmt: skip
            call()
            names, result = python_calls(call)
            self.assertEqual(names, ["<lambda>"])
            self.assertEqual(result, call())
        self.assertEqual(scale(by=5, x=3.0), 15.0)
        self.assertEqual(scale(**{"".join(["b", "y"]): 5, "x": 3.0}), 15.0)
        self.assertEqual(first(3, b=7), 307)
        self.assertEqual(first(3), 302)
        self.assertRaises(TypeError, first, a=3)
        self.assertRaises(TypeError, first, 3, 4, b=5)
        self.assertRaises(TypeError, scale, 1.0, x=2.0)
        self.assertRaises(TypeError, scale)
        self.assertRaises(TypeError, scale, 1.0, 2, 3)
        self.assertRaises(TypeError, scale, 1.0, wrong=3)
        self.assertEqual(strict(3, by=4), 12)
        self.assertRaises(TypeError, strict, 3, 4)

    def test_errors_have_the_kernels_lines(self):
        @njit
        def divide(a, b):
            return a // b

        @njit
        def outer(a, b):
            return divide(a, b) + 1

        outer(7, 2)
        names, error = python_calls(error_of, self, ZeroDivisionError, outer, 7, 0)
        self.assertNotIn("__call__", names)
        found = traceback.extract_tb(error.__traceback__)
        self.assertEqual([f.name for f in found][-2:], ["outer", "divide"])
        self.assertEqual(found[-1].line, "return a // b")
        self.assertEqual(found[-1].filename, __file__)
        self.assertEqual(outer(7, 2), 4)

    def test_recursion_error(self):
        @njit
        def deep(n):
            if n == 0:
                return 0
            return deep(n - 1) + 1

        self.assertEqual(deep(10), 10)
        self.assertRaises(RecursionError, deep, 10**9)
        self.assertEqual(deep(10), 10)


class Objects(unittest.TestCase):
    def test_a_kernel_is_a_dispatcher(self):
        @njit
        def one():
            """Its text."""
            return 1

        self.assertIsInstance(one, jitrun.Dispatcher)
        self.assertTrue(callable(one))
        self.assertEqual(one.__call__(), 1)
        self.assertEqual((one.__name__, one.__doc__), ("one", "Its text."))
        self.assertEqual(type(one).__name__, "Dispatcher")
        one.anything = 3
        self.assertEqual(one.anything, 3)

    def test_kernels_are_freed(self):
        def make(k):
            @njit
            def inner(x):
                return x + k

            self.assertEqual(inner(1), 1 + k)
            self.assertEqual(inner(1), 1 + k)
            return weakref.ref(inner)

        gone = [make(k) for k in range(5)]
        gc.collect()
        self.assertEqual([ref() for ref in gone], [None] * 5)

    def test_a_call_from_what_goes_with_it(self):
        errors = []

        class Last:
            def __del__(self):
                try:
                    self.kernel(1)
                except TypeError as error:
                    errors.append(str(error))

        @njit
        def inner(x):
            return x

        inner(1)
        last = Last()
        last.kernel, inner.last = inner, last
        del inner, last
        gc.collect()
        self.assertEqual(len(errors), 1)
        self.assertIn("vectorcall", errors[0])

    def test_references_do_not_leak(self):
        @njit
        def pair(a, b):
            assert b > 0
            return (a, b), a > b

        class Unknown:
            pass

        big, unknown, text = 2.0**70, Unknown(), "key"
        watched = [big, unknown, text, None, True, False, pair, Unknown, float, int]

        def use():
            for _ in range(200):
                pair(big, 1.5)
                for args, kwargs in (((big, -1.5), {}), ((unknown, 1), {}), ((1.5,), {text: 1})):
                    try:
                        pair(*args, **kwargs)
                    except (AssertionError, TypeError):
                        pass

        use()
        gc.collect()
        before = [sys.getrefcount(w) for w in watched]
        use()
        gc.collect()
        after = [sys.getrefcount(w) for w in watched]
        for w, a, b in zip(watched, before, after):
            self.assertLess(abs(b - a), 20, w)

    def test_unpickled(self):
        @njit
        def add(a, b):
            return a + b

        add(1, 2)
        data = pickle.dumps(add)
        jitrun.dispatcher._known.clear()
        jitrun.dispatcher._recent.clear()
        other = pickle.loads(data)
        self.assertIsNot(other, add)
        self.assertEqual(other(1, 2), 3)
        self.assertEqual(python_calls(other, 1, 2), ([], 3))

    def test_many_threads_bring_many_types(self):
        @njit
        def add(a, b):
            return a + b

        values = [1, 2.5, True]
        wrong = []

        def work(seed):
            for i in range(300):
                a, b = values[(seed + i) % 3], values[(seed + i // 3) % 3]
                if add(a, b) != a + b:
                    wrong.append((a, b))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])


@needs_numpy
class Arrays(unittest.TestCase):
    def setUp(self):
        @njit
        def total(x):
            s = 0.0
            for i in range(x.shape[0]):
                s += x[i]
            return s

        @njit
        def corner(x):
            return x[1, -1] * 10.0 + x[0, 1]

        @njit
        def fill(x, value):
            for i in range(len(x)):
                x[i] = value

        self.total, self.corner, self.fill = total, corner, fill

    def direct(self, kernel, *args):
        kernel(*args)
        names, result = python_calls(kernel, *args)
        self.assertEqual(names, [], args)
        return result

    def test_every_dtype(self):
        for name in jitrun.types.SCALARS:
            array = np.array([1, 0, 1], name)
            self.assertEqual(self.direct(self.total, array), 2.0, name)
            scalar = array.dtype.type(1)

            @njit
            def same(x):
                return x

            self.assertEqual(self.direct(same, scalar), 1, name)

    def test_scalars_keep_their_values(self):
        @njit
        def same(x):
            return x

        for scalar in (
            np.float32(1.1), np.float64(-0.1), np.int8(-128), np.uint8(255), np.int16(-3),
            np.uint16(65535), np.int32(-(2**31)), np.uint32(2**32 - 1), np.int64(-(2**63)),
            np.uint64(2**64 - 1), np.bool_(False), np.longlong(-5),
        ):  # fmt: skip
            same(scalar)
            self.assertEqual(python_calls(same, scalar), ([], scalar.item()))

    def test_strides(self):
        whole = np.arange(24.0).reshape(4, 6)
        for array in (whole, whole.T, whole[::2, ::-3], whole[:, 2:4], np.asfortranarray(whole)):
            self.assertEqual(self.direct(self.corner, array), array[1, -1] * 10 + array[0, 1])
        for array in (whole[:, 1], whole[2], whole[2, ::-2], whole[:0, 1], np.zeros(0)):
            self.assertEqual(self.direct(self.total, array), array.sum())

    def test_what_was_learned_for_one_is_not_used_for_another(self):
        good = np.arange(4.0)
        self.direct(self.total, good)
        swapped = good.astype(">f8")
        raw = np.zeros(33, np.uint8)
        unaligned = raw[1:].view(np.float64)
        for array in (swapped, unaligned, good.astype(np.complex128), good.astype("f2")):
            self.assertRaises(TypeError, self.total, array)
        self.assertEqual(self.total(good[::2]), 2.0)
        self.assertEqual(self.total(good.astype(np.int64)), 6.0)
        self.assertEqual(self.total(good.astype(np.float32)), 6.0)
        odd = np.zeros(4, [("a", "f8"), ("b", "i1")])["a"]
        self.assertRaises(TypeError, self.total, odd)

    def test_readonly(self):
        array = np.zeros(3)
        self.fill(array, 2.0)
        self.fill(array, 3.0)
        array.flags.writeable = False
        self.assertEqual(self.direct(self.total, array), 9.0)
        for _ in range(2):
            found = error_of(self, TypeError, self.fill, array, 4.0)
            self.assertIn("read-only", str(found))
        self.assertEqual(array.tolist(), [3.0] * 3)
        array.flags.writeable = True
        self.assertEqual(self.direct(self.fill, array, 5.0), None)
        self.assertEqual(array.tolist(), [5.0] * 3)

    def test_equal_dtypes_that_are_other_objects(self):
        array = np.arange(3.0)
        self.direct(self.total, array)
        again = pickle.loads(pickle.dumps(array))
        other = array.view(np.dtype("f8", metadata={"unit": "m"}))
        for same in (again, other):
            self.assertEqual(self.direct(self.total, same), 3.0)

    def test_subclasses(self):
        class Named(np.ndarray):
            pass

        array = np.arange(3.0)
        self.direct(self.total, array)
        self.assertEqual(self.total(array.view(Named)), 3.0)
        self.assertRaises(TypeError, self.total, np.ma.masked_array(array, [0, 1, 0]))

    def test_three_arrays_and_two_numbers(self):
        @njit
        def mix(x, y, z, a, b):
            for i in range(len(x)):
                z[i] = a * x[i] + b * y[i]

        x, y, z = np.arange(3.0), np.ones(3), np.zeros(3)
        self.assertIsNone(self.direct(mix, x, y, z, 2.0, 3))
        self.assertEqual(z.tolist(), [3.0, 5.0, 7.0])

    def test_tuples_of_arrays(self):
        @njit
        def first(t):
            return t[0][0] + t[1][1]

        self.assertEqual(self.direct(first, (np.arange(2.0), np.arange(3))), 1.0)

    def test_new_arrays(self):
        @njit
        def doubled(x):
            return x * 2

        for name in ("f8", "f4", "i8", "i1", "u2", "u8", "i4"):
            for shape in ((3,), (2, 3), (0,), (2, 0, 3)):
                array = np.ones(shape, name)
                result = self.direct(doubled, array)
                self.assertEqual((result.shape, result.dtype), (shape, array.dtype))
                np.testing.assert_array_equal(result, array * 2)
                self.assertTrue(result.flags.c_contiguous and result.flags.writeable)
        result += 1

        @njit
        def made(n):
            return np.arange(n) * 0.5, n, np.zeros((n, 2))[::-1, :1]

        a, n, b = self.direct(made, 4)
        self.assertEqual((a.tolist(), n, b.tolist()), ([0, 0.5, 1, 1.5], 4, [[0]] * 4))
        self.assertEqual(b.strides, (-16, 8))

        @njit
        def above(x):
            return x > 1

        self.assertEqual(self.direct(above, np.arange(3)).tolist(), [False, False, True])

    def test_views_of_arguments(self):
        @njit
        def tail(x, n):
            return x[n:], x

        array = np.arange(5.0)
        view, same = self.direct(tail, array, 2)
        view[0] = 9
        same[0] = 7
        self.assertEqual(array.tolist(), [7, 1, 9, 3, 4])
        array.flags.writeable = False
        self.assertFalse(self.direct(tail, array, 2)[0].flags.writeable)
        gone = weakref.ref(array)
        del array, same
        gc.collect()
        self.assertIsNotNone(gone())
        self.assertEqual(view.tolist(), [9, 3, 4])
        view = None
        gc.collect()
        self.assertIsNone(gone())

    def test_memory_of_arrays_is_freed(self):
        @njit
        def big(n):
            return np.zeros(n), np.ones(n)

        def peak():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4096

        big(1000000)
        before = peak()
        for _ in range(200):
            kept = big(1000000)
        self.assertLess(peak() - before, 100e6)
        del kept


if __name__ == "__main__":
    unittest.main()
