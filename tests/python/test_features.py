"""The table of numba's features in docs/numba.md is what running them gives."""

import unittest

import jitrun
from support import needs_numpy, run_python

SCRIPT = __file__.replace("test_features", "features")


@needs_numpy
@unittest.skipUnless(jitrun.engine_available("llvm"), "LLVM's text is one of the features")
class Features(unittest.TestCase):
    def test_table(self):
        made = run_python(SCRIPT, NPY_PROMOTION_STATE="weak")
        self.assertEqual(made.returncode, 0, made.stderr)
        path = SCRIPT.replace("tests/python/features.py", "docs/numba.md")
        with open(path, encoding="utf-8") as page:
            self.assertIn(made.stdout.strip(), page.read(), "run tests/python/features.py --write")
        self.assertNotIn("| differs |", made.stdout)


if __name__ == "__main__":
    unittest.main()
