"""What goes in and what comes out."""

import array
import gc
import subprocess
import sys
import unittest
from fractions import Fraction

import jitrun
from jitrun import njit
from support import error_of, needs_numpy, np


@njit
def same(x):
    return x


@njit
def fill(x, value):
    for i in range(len(x)):
        x[i] = value


@njit
def total(x):
    s = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            s += x[i, j]
    return s


@njit
def views(x):
    return x[1:], x.T


@njit
def make(n):
    a = np.zeros((n, 3))
    for i in range(n):
        a[i, 2] = i
    return a, a[::-1, 2], n


@njit
def empty(n):
    return np.zeros((n, 0, 2), np.int32)


class Scalars(unittest.TestCase):
    def test_round_trip(self):
        for value in (0, -1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 1.5, -0.0, True, False, None):
            result = same(value)
            self.assertEqual(repr(result), repr(value))
            self.assertIs(type(result), type(value))

    def test_ints_that_no_type_holds(self):
        for value in (2**64, -(2**63) - 1):
            self.assertIn("'x'", str(error_of(self, OverflowError, same, value)))
        self.assertEqual(same(7), 7)

    def test_subclasses(self):
        class Name(int):
            pass

        self.assertIs(type(same(Name(3))), int)

    def test_tuples_and_lists(self):
        value = (1, 2.5, (True, (3,)), ())
        self.assertEqual(same(value), value)
        self.assertEqual(same([1, [2.5, 3]]), (1, (2.5, 3)))
        message = str(error_of(self, TypeError, same, [0] * 1000))
        self.assertIn("np.array", message)

    def test_what_cannot_be_passed(self):
        for value in (1j, {}, object(), (1, "a"), NotImplemented):
            message = str(error_of(self, TypeError, same, value))
            self.assertIn("argument 1, 'x'", message)

    @needs_numpy
    def test_numpy_scalars(self):
        for name in "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split():
            value = np.dtype(name).type(5)
            self.assertEqual(same(value), 5)
            self.assertIn((jitrun.types.SCALARS[name],), same.signatures)
        self.assertIs(same(np.bool_(True)), True)
        self.assertEqual(same(np.uint64(2**64 - 1)), 2**64 - 1)
        self.assertEqual(same(np.float32(0.1)), float(np.float32(0.1)))
        self.assertIn("float16", str(error_of(self, TypeError, same, np.float16(1))))


@needs_numpy
class Arrays(unittest.TestCase):
    def test_every_dtype_and_stride(self):
        for name in jitrun.types.SCALARS:
            base = np.zeros((6, 5), name)
            for x in (base[0], base[:, 1], base[::2, 3], base[::-1, 4], base[2, ::-2]):
                fill(x, True if name == "bool" else 1)
                self.assertTrue((x == 1).all())

    def test_strides_are_read(self):
        x = np.arange(60.0).reshape(3, 4, 5)
        for y in (x[0], x[:, 1], x[:, :, 2], x[0].T, x[::-1, ::2, 0], np.asfortranarray(x[1])):
            self.assertEqual(total(y), y.sum())

    def test_broadcast(self):
        self.assertEqual(total(np.broadcast_to(np.array([1.0, 2.0]), (3, 2))), 9.0)

    def test_results_live_on(self):
        a, b, n = make(4)
        self.assertEqual((a.shape, n, b.tolist()), ((4, 3), 4, [3.0, 2.0, 1.0, 0.0]))
        del a
        gc.collect()
        make(4)
        self.assertEqual(b.tolist(), [3.0, 2.0, 1.0, 0.0])
        b[0] = 9
        self.assertEqual((b.dtype, b.flags.writeable), (np.float64, True))

    def test_results_are_freed(self):
        def kilobytes():
            with open("/proc/self/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * 4

        make(40000)
        before = kilobytes()
        for _ in range(200):
            make(40000)
        self.assertLess(kilobytes() - before, 20000)

    def test_views_of_arguments(self):
        x = np.arange(6.0).reshape(2, 3)
        part, turned = views(x)
        part[0, 0] = 99
        self.assertEqual((x[1, 0], turned[0, 1]), (99, 99))
        part = views(np.arange(1e5).reshape(10, 10000))[0]
        gc.collect()
        self.assertEqual(part[8, 9999], 99999)

    def test_empty(self):
        self.assertEqual(empty(3).shape, (3, 0, 2))
        self.assertEqual(empty(3).dtype, np.int32)
        self.assertEqual(total(np.zeros((0, 3))), 0)

    def test_other_memory(self):
        x = array.array("d", [1, 2, 3])
        fill(x, 4.0)
        self.assertEqual(x.tolist(), [4, 4, 4])
        y = bytearray(3)
        fill(memoryview(y), 7)
        self.assertEqual(bytes(y), b"\7\7\7")

    def test_other_libraries_arrays(self):
        owner = np.zeros(3)

        class Interface:
            __array_interface__ = owner.__array_interface__

        class Capsule:
            def __dlpack__(self, **options):
                return owner.__dlpack__(**options)

            def __dlpack_device__(self):
                return owner.__dlpack_device__()

        @njit
        def first(x):
            return x[0]

        for value in (2.0, 3.0):
            fill(Interface(), value)
            self.assertEqual(owner.tolist(), [value] * 3)
            self.assertEqual(first(Capsule()), value)  # NumPy 1 gives no others to write to

    def test_messages_of_declared_types(self):
        @njit("float64(float64, float64[::1])")
        def declared(k, x):
            return k * x[0]

        x = np.ones(4)
        self.assertEqual(declared(2, x), 2.0)
        for args, text in (
            ((2.0, x[::2]), "argument 2, 'x', is float64[::1]: float64[:] cannot be passed"),
            ((2.0, 3.0), "argument 2, 'x', is float64[::1]: float64 cannot be passed"),
            ((x, x), "argument 1, 'k', is float64: float64[::1] cannot be passed"),
            ((Fraction(2), x), "argument 1, 'k', is a Fraction, which kernels cannot take"),
            (("2", x), "'declared' has signatures, which have no functions or strings"),
        ):
            self.assertIn(text, str(error_of(self, TypeError, declared, *args)))

    def test_read_only(self):
        x = np.arange(6.0).reshape(2, 3)
        x.flags.writeable = False
        self.assertEqual(total(x), 15)

    def test_what_cannot_be_passed(self):
        packed = np.zeros(3, [("a", "f8"), ("b", "i1")])["a"]
        for x in (
            packed,
            np.zeros(3, np.float16),
            np.zeros(3, ">f8"),
            np.zeros(3, complex),
            np.array(1.0),
            np.array(["a"]),
            np.ma.array([1, 2], mask=[0, 1]),
        ):
            self.assertIn("argument 1, 'x'", str(error_of(self, TypeError, same, x)))

    def test_strides_between_elements(self):
        x = np.ndarray((3,), np.int64, bytearray(100), 0, (12,))
        error_of(self, TypeError, same, x)
        y = np.ndarray((3,), np.int16, bytearray(100), 0, (3,))
        error_of(self, TypeError, same, y)

    def test_typeof_of_numpy_scalars_first(self):
        """Nothing has met a NumPy scalar yet."""
        values = "np.uint64(1), np.float32(1), np.True_, (np.int8(1), np.float64(2))"
        program = "import numpy as np, jitrun\nprint(*map(jitrun.typeof, (%s)))" % values
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        self.assertEqual(done.stdout, "uint64 float32 bool tuple[int8, float64]\n")

    def test_typeof(self):
        self.assertEqual(str(jitrun.typeof(np.zeros((2, 3)))), "float64[:, ::1]")
        self.assertEqual(str(jitrun.typeof((1, np.zeros(4)[::2]))), "tuple[int64, float64[:]]")


if __name__ == "__main__":
    unittest.main()
