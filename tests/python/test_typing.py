"""What type checkers know of the package: python/jitrun/__init__.pyi."""

import ast
import os
import subprocess
import sys
import tempfile
import unittest

import jitrun
from jitrun import dispatcher
from support import needs

PACKAGE = os.path.dirname(jitrun.__file__)

# Good in the strictest mode, but for the lines that say what is wrong in them.
PROGRAM = """
from jitrun import cfunc, float64, get_num_threads, int64, njit, prange, vectorize

@njit
def add(a: float, b: float) -> float:
    return a + b

@njit(parallel=True, fastmath=True)
def total(n: int) -> int:
    s = 0
    for i in prange(n):
        s += i
    return s

@njit("int64(int64)")
def twice(n: int) -> int:
    return 2 * n

@njit(float64(float64, int64))
def scale(a: float, k: int) -> float:
    return a * k

@vectorize(["float64(float64)"])
def square(x: float) -> float:
    return x * x

@cfunc("float64(float64)")
def bell(x: float) -> float:
    return x

half: float = scale(add(1.0, 2.0), twice(1)) * bell(0.5)
number: int = bell.address + get_num_threads() + total.py_func(3)
add("a", 1.0)  # expected "float"
total(1, 2)  # Too many arguments
text: str = twice(1)  # expression has type "int"
njit(paralel=True)  # No overload variant
"""


class Stub(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(PACKAGE, "__init__.pyi"), encoding="utf-8") as file:
            self.tree = ast.parse(file.read())

    def test_names(self):
        names = {node.name for node in self.tree.body if hasattr(node, "name")}
        for node in self.tree.body:
            if isinstance(node, ast.AnnAssign):
                names.add(node.target.id)
            if isinstance(node, ast.Assign):
                names.add(node.targets[0].id)
        names = {name for name in names if not name.startswith("_")}
        names -= {"Bench", "load_ipython_extension"}  # those that `import *` leaves out
        self.assertEqual(names, set(jitrun.__all__) - {"types"})

    def test_options(self):
        njit = [n for n in self.tree.body if getattr(n, "name", "") == "njit"][1]
        known = [
            *dispatcher._KERNEL_OPTIONS,
            *dispatcher._OWN_OPTIONS,
            *dispatcher._ACCEPTED_OPTIONS,
        ]
        self.assertEqual({arg.arg for arg in njit.args.kwonlyargs}, set(known))

    def test_it_is_marked(self):
        self.assertTrue(os.path.exists(os.path.join(PACKAGE, "py.typed")))

    @needs("mypy")
    def test_mypy(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "program.py"), "w", encoding="utf-8") as file:
                file.write(PROGRAM)
            done = subprocess.run(
                [sys.executable, "-m", "mypy", "--strict", "program.py"],
                env={**os.environ, "MYPYPATH": os.path.dirname(PACKAGE)},
                cwd=folder,
                capture_output=True,
                text=True,
            )
        found = {
            int(line.split(":")[1]): line for line in done.stdout.split("\n") if ": error: " in line
        }
        lines = PROGRAM.split("\n")
        marked = {i + 1: line.split("  # ")[1] for i, line in enumerate(lines) if "  # " in line}
        self.assertEqual(sorted(found), sorted(marked), done.stdout + done.stderr)
        for line, message in marked.items():
            self.assertIn(message, found[line])


if __name__ == "__main__":
    unittest.main()
