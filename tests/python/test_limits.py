"""Kernels where the system gives little: memory, stack, files. Each case is a process of its own."""

import os
import subprocess
import sys
import tempfile
import unittest

import jitrun
from support import needs_numpy

PROGRAM = """
import resource, sys
from jitrun import njit, prange
import numpy as np

@njit(engine=%(engine)r)
def deep(n):
    return 0 if n == 0 else deep(n - 1) + 1

@njit(engine=%(engine)r, parallel=True)
def total(x):
    s = 0.0
    for i in prange(len(x)):
        s += x[i]
    return s

@njit(engine=%(engine)r)
def long(x):
    s = 0.0
%(statements)s
    return s
"""

STATEMENTS = "\n".join("    s = s * 0.5 + x[%d %% len(x)]" % i for i in range(400))

USE = """
total(np.ones(3))
%(limit)s
print(total(np.ones(100000)), deep(100))
try:
    deep(10**7)
except RecursionError:
    print("deep")
"""

MEMORY = """
total(np.ones(3))
here = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (here + %(more)d, -1))
try:
    print(long(np.zeros(3)))
except MemoryError:
    print("MemoryError")
"""


def engines():
    return [e for e in ("interp", "tcc", "llvm") if jitrun.engine_available(e)]


@needs_numpy
class Limits(unittest.TestCase):
    def run_program(self, engine, use, shell=":"):
        text = PROGRAM % {"engine": engine, "statements": STATEMENTS} + use
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            done = subprocess.run(
                ["sh", "-c", shell + ' && exec "$0" "$1"', sys.executable, path],
                capture_output=True,
                text=True,
                timeout=300,
            )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_a_small_stack(self):
        for engine in engines():
            for size in (256, 1024):
                with self.subTest(engine, size=size):
                    out = self.run_program(engine, USE % {"limit": ""}, "ulimit -s %d" % size)
                    self.assertEqual(out, "100000.0 100\ndeep\n")

    def test_no_more_threads_or_files(self):
        limit = "resource.setrlimit(resource.RLIMIT_%s, (%d, %d))"
        for engine in engines():
            for what in (("NPROC", 1, 1), ("NOFILE", 3, 3)):
                with self.subTest(engine, what=what):
                    out = self.run_program(engine, USE % {"limit": limit % what})
                    self.assertEqual(out, "100000.0 100\ndeep\n")

    def test_little_memory_to_compile_in(self):
        """LLVM would end the process."""
        for engine in engines():
            found = set()
            for more in (1, 8, 400):
                with self.subTest(engine, more=more):
                    found.add(self.run_program(engine, MEMORY % {"more": more * 10**6}))
            self.assertEqual(found | {"MemoryError\n"}, {"MemoryError\n", "0.0\n"})


if __name__ == "__main__":
    unittest.main()
