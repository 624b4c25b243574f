"""The programs in samples/python print what they print without jitrun's compiler."""

import os
import unittest

from support import missing, run_python

FOLDER = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "samples", "python"
)


class Samples(unittest.TestCase):
    def test_each(self):
        names = sorted(n for n in os.listdir(FOLDER) if n.endswith(".py"))
        self.assertTrue(names)
        for name in names:
            path = os.path.join(FOLDER, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if any(missing(module) and module in text for module in ("numpy", "mpi4py")):
                continue
            with self.subTest(name):
                compiled = run_python(path)
                self.assertEqual((compiled.returncode, compiled.stderr), (0, ""))
                interpreted = run_python(path, JITRUN_DISABLE_JIT="1")
                self.assertEqual(compiled.stdout, interpreted.stdout)


if __name__ == "__main__":
    unittest.main()
