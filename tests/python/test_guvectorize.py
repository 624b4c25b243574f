"""@guvectorize: functions of small arrays, over larger ones."""

import pickle
import unittest

from jitrun import float64, guvectorize, int64
from support import needs_numpy, np, run_python


@guvectorize([(int64[:], int64, int64[:]), "void(float64[:], float64, float64[:])"], "(n),()->(n)")
def shift(x, by, out):
    """Adds a number."""
    for i in range(x.shape[0]):
        out[i] = x[i] + by


MATRIX = "void(float64[:, :], float64[:, :], float64[:, :])"


@guvectorize([MATRIX], "(m, n),(n, p)->(m, p)", target="parallel")
def matmul(a, b, out):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            s = 0.0
            for k in range(a.shape[1]):
                s += a[i, k] * b[k, j]
            out[i, j] = s


@guvectorize(["void(float64[:], float64[:], int64[:])"], "(n)->(),()")
def best(x, value, index):
    value[0], index[0] = x[0], 0
    for i in range(len(x)):
        if x[i] > value[0]:
            value[0], index[0] = x[i], i


@guvectorize("(n)->(n)")
def reverse(x, out):
    for i in range(len(x)):
        out[i] = x[len(x) - 1 - i]


@needs_numpy
class GUVectorize(unittest.TestCase):
    def test_broadcasting(self):
        a = np.arange(6).reshape(2, 3)
        self.assertEqual(shift(a, 10).tolist(), (a + 10).tolist())
        self.assertEqual(shift(a, [10, 20]).tolist(), [[10, 11, 12], [23, 24, 25]])
        self.assertEqual(shift(a[0], [[1], [2]]).shape, (2, 1, 3))
        self.assertEqual(shift(a[:, ::-1], 0).tolist(), a[:, ::-1].tolist())
        self.assertEqual(shift(np.zeros((0, 3)), 1.0).shape, (0, 3))
        for _ in range(2):
            a, b = np.random.rand(4, 3, 2, 3), np.random.rand(3, 3, 5)
            self.assertTrue(np.allclose(matmul(a, b), a @ b))
            self.assertTrue(np.allclose(matmul(a[0, 0], b[0]), a[0, 0] @ b[0]))

    def test_types(self):
        self.assertEqual(shift(np.arange(3, dtype=np.int16), 1).dtype, np.int64)
        self.assertEqual(shift(np.arange(3), 0.5).tolist(), [0.5, 1.5, 2.5])
        with self.assertRaisesRegex(TypeError, "complex128"):
            shift(np.ones(2, complex), 1)

    def test_several_outputs(self):
        values, indices = best(np.array([[1.0, 5.0, 2.0], [7.0, 0.0, 0.0]]))
        self.assertEqual((values.tolist(), indices.tolist()), ([5.0, 7.0], [1, 0]))
        self.assertEqual(best(np.array([1.0, 3.0])), (3.0, 1))

    def test_out(self):
        out = np.zeros((2, 3))
        self.assertIs(shift(np.ones(3), 1.0, out), out)
        self.assertEqual(out.tolist(), [[2.0] * 3] * 2)
        self.assertIs(shift(np.ones(3), 2.0, out=out), out)
        self.assertEqual(reverse(np.arange(3), np.zeros(3, np.int64)).tolist(), [2, 1, 0])
        self.assertRaises(TypeError, reverse, np.arange(3))
        with self.assertRaisesRegex(ValueError, "too small"):
            shift(np.ones((2, 3)), 1.0, np.zeros(3))

    def test_what_cannot_be(self):
        with self.assertRaisesRegex(ValueError, "axis 'n'"):
            matmul(np.ones((2, 3)), np.ones((2, 3)))
        with self.assertRaisesRegex(ValueError, "dimensions"):
            matmul(np.ones(3), np.ones((3, 3)))
        self.assertRaises(TypeError, shift, np.ones(3))
        for layout in ("(n)", "(n)->", "n->n", "(n)->(m)", "(n;)->(n)"):
            with self.subTest(layout), self.assertRaises(ValueError):
                guvectorize(["void(float64[:], float64[:])"], layout)(reverse.py_func)
        with self.assertRaisesRegex(TypeError, "layout"):
            guvectorize(["void(float64, float64[:])"], "(n)->(n)")(reverse.py_func)
        with self.assertRaisesRegex(TypeError, "parameters"):
            guvectorize(["void(float64[:])"], "(n)->(n)")(reverse.py_func)
        self.assertRaises(TypeError, guvectorize, [float64(float64)])
        self.assertRaises(ValueError, guvectorize, "(n)->(n)", target="cuda")

    def test_an_error_in_the_function(self):
        @guvectorize(["void(int64[:], int64[:])"], "(n)->(n)")
        def beyond(x, out):
            out[0] = x[len(x)]

        with self.assertRaisesRegex(IndexError, "index 2"):
            beyond(np.ones((3, 2), np.int64))

    def test_attributes(self):
        self.assertEqual((shift.__name__, shift.__doc__), ("shift", "Adds a number."))
        self.assertEqual(shift.signature, "(n),()->(n)")
        self.assertEqual(shift.py_func.__name__, "shift")

    def test_pickle(self):
        for protocol in (0, pickle.HIGHEST_PROTOCOL):
            again = pickle.loads(pickle.dumps(shift, protocol))
            self.assertEqual(again(np.ones((2, 2)), [1.0, 2.0]).tolist(), [[2, 2], [3, 3]])
            self.assertEqual((again.__name__, again.signature), ("shift", shift.signature))
            self.assertEqual(again.py_func.__name__, "shift")

    def test_without_compiling(self):
        text = (
            "from test_guvectorize import shift, np\nprint(shift(np.ones((2, 2)), [1.0, 2.0]).tolist())"
        )
        done = run_python("-c", text, JITRUN_DISABLE_JIT="1")
        self.assertEqual(done.stdout, "[[2.0, 2.0], [3.0, 3.0]]\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
