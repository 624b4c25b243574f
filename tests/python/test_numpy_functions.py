"""NumPy's functions that are written in the language (tests/lang/library has more), in Python functions."""

import tempfile
import traceback
import unittest

from jitrun import TypingError, njit
from support import import_text, needs_numpy, np

# By function, an expression of the arrays below.
CASES = {
    "allclose": "np.allclose(A,A+1e-9),np.allclose(A,A+1)",
    "argsort": "np.argsort(A),np.argsort(S)",
    "array_equal": "np.array_equal(A,A),np.array_equal(A,S)",
    "bincount": "np.bincount(np.abs(B))",
    "concatenate": "np.concatenate((A,A)),np.concatenate((B,B,B))",
    "convolve": "np.convolve(A,Z[:1])",
    "count_nonzero": "np.count_nonzero(B)",
    "cumprod": "np.cumprod(A)",
    "diag": "np.diag(A)",
    "diff": "np.diff(A),np.diff(B)",
    "eye": "np.eye(4)",
    "flatnonzero": "np.flatnonzero(B)",
    "flip": "np.flip(A)",
    "histogram": "np.histogram(A,7)[0],np.histogram(B,5)[1]",
    "identity": "np.identity(3)",
    "interp": "np.interp(.5,np.sort(A),A),np.interp(9.,np.sort(A),A)",
    "average": "np.average(A),np.average(M,axis=0),np.average(A,weights=np.abs(A))",
    "corrcoef": "np.corrcoef(M)",
    "cov": "np.cov(M)",
    "isin": "np.isin(B,B[:4])",
    "linalg.det": "np.linalg.det(M[:4,:4]+np.eye(4))",
    "linalg.inv": "np.linalg.inv(M[:4,:4]+np.eye(4))",
    "linalg.norm": "np.linalg.norm(A),np.linalg.norm(M)",
    "median": "np.median(A),np.median(B),np.median(M),np.median(Z)",
    "nanmax": "np.nanmax(Z)",
    "nanmean": "np.nanmean(Z)",
    "nanmin": "np.nanmin(Z)",
    "nansum": "np.nansum(Z)",
    "nonzero": "np.nonzero(B)[0]",
    "outer": "np.outer(A,B)",
    "percentile": "np.percentile(A,90),np.percentile(M,50)",
    "polyval": "np.polyval(A,.5)",
    "ptp": "np.ptp(B)",
    "quantile": "np.quantile(A,.3),np.quantile(B,.25)",
    "repeat": "np.repeat(B,3)",
    "roll": "np.roll(A,3),np.roll(B,-2)",
    "linalg.solve": "np.linalg.solve(M[:4,:4]+np.eye(4),A[:4])",
    "searchsorted": "np.searchsorted(np.sort(A),.5),np.searchsorted(np.sort(B),3)",
    "sort": "np.sort(B),np.sort(S)",
    "std": "np.std(S)+np.std(M, ddof=1)",
    "trace": "np.trace(M)",
    "unique": "np.unique(B)",
    "var": "np.var(A)+np.var(M)+np.var(B, ddof=1)",
}


def same(found, wanted):
    if isinstance(wanted, tuple):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return np.shape(found) == np.shape(wanted) and np.allclose(found, wanted, equal_nan=True)


@needs_numpy
class Functions(unittest.TestCase):
    def test_each(self):
        random = np.random.RandomState(3)
        A, B, M = random.rand(20), random.randint(-5, 9, 21), random.rand(4, 4)
        args = A, B, np.array([1.5, np.nan, -2.0, np.nan, 7.0]), M, A[::2]
        text = "import numpy as np\n" + "".join(
            "def f%d(A, B, Z, M, S):\n    return %s\n" % item for item in enumerate(CASES.values())
        )
        with tempfile.TemporaryDirectory() as folder:
            module = import_text(folder, "numpy_cases", text)
            for i, name in enumerate(CASES):
                with self.subTest(name):
                    function = getattr(module, "f%d" % i)
                    kept = [a.copy() for a in args]
                    self.assertTrue(same(njit(function)(*args), function(*args)), CASES[name])
                    self.assertTrue(all(map(same, args, kept)))

    def test_under_other_names(self):
        text = (
            "from numpy import std as deviation\nimport numpy as num\nfrom numpy import linalg\n"
            "def f(a):\n    return deviation(a) + num.linalg.norm(a) + linalg.norm(a)\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            function = import_text(folder, "numpy_names", text).f
            a = np.arange(4.0)
            self.assertAlmostEqual(njit(function)(a), function(a), 12)

    def test_errors(self):
        def bad(a):
            return np.quantile(a, 2.0)

        with self.assertRaisesRegex(ValueError, "range"):
            njit(bad)(np.ones(3))
        try:
            njit(bad)(np.ones(3))
        except ValueError as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
        self.assertEqual((last.name, last.line), ("bad", "return np.quantile(a, 2.0)"))

        def matrix(a):
            return np.sort(a)

        with self.assertRaisesRegex(TypingError, "np.sort.. in kernels does not take"):
            njit(matrix)(np.ones((2, 2, 2)))

        def inverse(a):
            return np.linalg.inv(a)

        with self.assertRaisesRegex(ValueError, "Singular matrix"):
            njit(inverse)(np.ones((2, 2)))

        def empty(a):
            return np.median(a), np.argsort(a), np.bincount(a), np.diff(a)

        with np.errstate(all="ignore"):
            found = njit(empty)(np.zeros(0, np.int64))
        self.assertTrue(np.isnan(found[0]))
        self.assertEqual([len(x) for x in found[1:]], [0, 0, 0])


if __name__ == "__main__":
    unittest.main()
