"""What the tests of the command share: its path, which is in $JITRUN, the engines that were built, in
$JITRUN_ENGINES (comma-separated), some kernels, and a folder to run it in."""
import os
import pathlib
import subprocess
import tempfile
import unittest

JITRUN = os.environ.get("JITRUN", "build/jitrun")
ENGINES = os.environ.get("JITRUN_ENGINES", "interp,tcc,llvm").split(",")

KERNELS = """\
import numpy as np
from jitrun import njit, float64

@njit
def add(a: float64, b: float64) -> float64:
    return a + b

@njit
def total(x):
    s = x[0]
    for i in range(1, len(x)):
        s += x[i]
    return s

@njit
def doubled(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        out[i] = 2.0 * x[i]
    return out

@njit
def corners(x):
    return x[0, 0], x[-1, -1]

@njit
def fails(n: int) -> int:
    return 10 // n

@njit
def nothing(x: int):
    pass

@njit
def main():
    return add(1.0, 2.0), 7
"""


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        (self.path / "k.src").write_text(KERNELS)

    def tearDown(self):
        self.folder.cleanup()

    def run_command(self, *args, stdin=None, **environment):
        done = subprocess.run([os.path.abspath(JITRUN), *map(str, args)], input=stdin, text=True,
                              capture_output=True, timeout=120, cwd=self.path,
                              env={**os.environ, **environment})
        return done.returncode, done.stdout, done.stderr

    def check(self, args, code, out="", err="", stdin=None):
        got = self.run_command(*args, stdin=stdin)
        self.assertEqual(got[0], code, got)
        self.assertEqual(got[1], out, got)
        if err:
            self.assertIn(err, got[2])
        else:
            self.assertEqual(got[2], "")
        return got
