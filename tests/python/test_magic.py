"""The magics, in an IPython shell."""

import atexit
import io
import os
import re
import shutil
import tempfile
import unittest
from contextlib import redirect_stdout

import jitrun
from support import needs

try:
    from IPython.core.interactiveshell import InteractiveShell
except ImportError:
    InteractiveShell = None

CELL = """%%jitrun --parallel
from jitrun import prange

SCALE = 2

def total(n):
    s = 0
    for i in prange(n):
        s += part(i)
    return s

def part(i):
    return i * SCALE

def fails(a, b):
    return a // b

total(10)
"""


@needs("IPython")
class Magic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)  # after the shell, which registers later
        os.environ["IPYTHONDIR"] = folder
        cls.shell = InteractiveShell.instance()
        cls.shell.history_manager.enabled = False
        cls.run_cell(cls, "%load_ext jitrun")

    @classmethod
    def tearDownClass(cls):
        InteractiveShell.clear_instance()

    def run_cell(self, text):
        out = io.StringIO()
        with redirect_stdout(out):
            done = self.shell.run_cell(text, store_history=True)
        return done, re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())

    def test_cell(self):
        done, _ = self.run_cell(CELL)
        self.assertTrue(done.success)
        self.assertEqual(done.result, 90)
        names = self.shell.user_ns
        self.assertIsInstance(names["total"], jitrun.Dispatcher)
        self.assertEqual(names["total"].options, {"parallel": True})
        self.assertNotIn("__jitrun__", names)
        done, out = self.run_cell("fails(1, 0)")
        self.assertIsInstance(done.error_in_exec, ZeroDivisionError)
        self.assertIn("return a // b", out)

    def test_a_cell_that_is_kept(self):
        """Another cell with the same text finds it, though cells are files of their own."""
        text = "%%jitrun --cache --engine llvm\ndef kept(x):\n    return x * 12345\nkept(2)"
        stats = []
        for _ in range(2 if jitrun.engine_available("llvm") else 0):
            done, _ = self.run_cell(text)
            self.assertEqual(done.result, 24690)
            stats.append(self.shell.user_ns["kept"].stats)
        for found, hits in zip(stats, (0, 1)):
            self.assertEqual(sum(found.cache_hits.values()), hits)
            self.assertEqual(sum(found.cache_misses.values()), 1 - hits)

    def test_njit_in_a_cell(self):
        done, _ = self.run_cell(
            "from jitrun import njit\n@njit\ndef three(x):\n    return x * 3\nthree(5)"
        )
        self.assertEqual(done.result, 15)

    def test_errors(self):
        done, _ = self.run_cell("%%jitrun --wrong\nx = 1")
        self.assertIsInstance(done.error_in_exec, ValueError)
        done, out = self.run_cell("%%jitrun\ndef f(x):\n    return x.nothing\nf(1)")
        self.assertIsInstance(done.error_in_exec, jitrun.TypingError)
        self.assertEqual(done.error_in_exec.diagnostics[0].line, 2)
        self.assertIn("return x.nothing", str(done.error_in_exec))

    def test_bench(self):
        self.run_cell(
            "%%jitrun\ndef count(n):\n    s = 0\n    for i in range(n):\n        s += i\n    return s"
        )
        done, _ = self.run_cell("%jitbench count(n=1000)")
        self.assertTrue(done.result.agrees, str(done.result))
        self.assertGreater(done.result["cpython"]["median"], 0)
        self.assertIn("<svg", done.result._repr_html_())
        done, _ = self.run_cell("%jitbench 3")
        self.assertIsInstance(done.error_in_exec, ValueError)
        done, _ = self.run_cell("%jitbench print(3)")
        self.assertIsInstance(done.error_in_exec, TypeError)


if __name__ == "__main__":
    unittest.main()
