"""The programs of programs.py and idioms.py, as kernels and as the functions they were made of."""

import copy
import unittest
import warnings

import jitrun
from support import error_of, needs_numpy, np


def same(kernel, python):
    if isinstance(python, tuple):
        return len(kernel) == len(python) and all(map(same, kernel, python))
    return np.shape(kernel) == np.shape(python) and np.allclose(
        kernel, python, rtol=1e-12, atol=1e-12, equal_nan=True
    )


@needs_numpy
class Programs(unittest.TestCase):
    def test_each(self):
        import idioms  # adds to them
        import programs

        self.assertTrue(idioms.REFUSED)
        self.assertGreater(len(programs.CASES), 35)
        for kernel, args in programs.CASES:
            with self.subTest(kernel.__name__), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found, wanted = copy.deepcopy(args), copy.deepcopy(args)
                results = kernel(*found), kernel.py_func(*wanted)
                self.assertTrue(same(*results), results)
                for a, b in zip(found, wanted):  # the arrays that it changed
                    self.assertTrue(same(a, b))

    def test_what_is_refused(self):
        import idioms

        for kernel, args, message in idioms.REFUSED:
            with self.subTest(kernel.__name__):
                error = error_of(self, jitrun.TypingError, kernel, *args)
                self.assertIn(message, str(error))
                self.assertIn("idioms.py:", str(error))


if __name__ == "__main__":
    unittest.main()
