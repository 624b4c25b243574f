"""Kernel.bench and jitrun.timeit. Nothing here depends on how long something takes."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import jitrun
from jitrun import njit, prange, timeit

try:
    import numpy as np
except ImportError:
    raise unittest.SkipTest("without NumPy") from None

try:
    import numba
except ImportError:
    numba = None

QUICK = {"seconds": 0.02}
OFFSET = 3


@njit
def square(v):
    return v * v


@njit(parallel=True)
def total(x, scale=2.0):
    s = 0.0
    for i in prange(len(x)):
        s += square(x[i]) * scale
    return s + OFFSET


@njit
def double(x):
    for i in range(len(x)):
        x[i] = 2 * x[i]


@njit
def pair(t, flag: bool):
    return t[0][1] + t[1], flag


@njit
def fails(x):
    return x[len(x)]


@njit
def draws():
    return np.random.random()


class Benches(unittest.TestCase):
    def test_rows(self):
        x = np.arange(100.0)
        bench = total.bench(x, **QUICK)
        self.assertTrue(bench.agrees)
        names = [row["name"] for row in bench.rows]
        engines = [e for e in ("interp", "tcc", "llvm") if jitrun.engine_available(e)]
        self.assertEqual(names[: len(engines)], engines)
        self.assertGreater(bench["interp"]["median"], 0)
        self.assertEqual(bench["interp"]["speedup"], 1)
        self.assertRaises(KeyError, lambda: bench["lua"])
        self.assertIn("total in", str(bench))
        self.assertIn("interp", repr(bench))
        self.assertEqual(json.loads(bench.json())["rows"], bench.rows)
        self.assertEqual(len(bench.csv().splitlines()), 1 + len(bench.rows))
        self.assertTrue(bench.svg().startswith("<svg"))
        self.assertIn("<pre>", bench._repr_html_())

    def test_arguments_are_not_changed(self):
        x = np.arange(5)
        for rows in (["interp"], "interp,interp"):
            self.assertTrue(double.bench(x, rows=rows, against="cpython", **QUICK).agrees)
        self.assertEqual(list(x), [0, 1, 2, 3, 4])

    def test_kinds_of_arguments(self):
        bench = pair.bench(((1, 2), 3.5), flag=True, rows="interp", against=["cpython"], **QUICK)
        self.assertTrue(bench.agrees, str(bench))
        x = np.arange(20.0)[::-2]
        bench = total.bench(x, scale=1, rows="interp", against="cpython", operations=20, **QUICK)
        self.assertTrue(bench.agrees, str(bench))
        row = bench["interp"]
        self.assertAlmostEqual(row["operations_rate"] * row["median"], 20, 3)

    def test_against_cpython_that_differs(self):
        bench = draws.bench(rows="interp", against="cpython", **QUICK)
        self.assertFalse(bench.agrees)
        self.assertIn("the result is", bench["cpython"]["difference"])
        self.assertEqual(bench["cpython"]["sample_count"], 0)

    @unittest.skipUnless(numba, "without numba")
    def test_against_numba(self):
        bench = total.bench(np.arange(50.0), rows="interp", against=["cpython", "numba"], **QUICK)
        self.assertTrue(bench.agrees, str(bench))

    def test_errors(self):
        with self.assertRaises(IndexError) as caught:
            fails.bench(np.arange(3), **QUICK)
        self.assertIn("index 3", str(caught.exception))
        with self.assertRaisesRegex(ValueError, "'julia'"):
            double.bench(np.arange(3), rows="julia", **QUICK)
        with self.assertRaisesRegex(ValueError, "'lua'"):
            double.bench(np.arange(3), against="lua", **QUICK)
        with self.assertRaisesRegex(ValueError, "seconds"):
            double.bench(np.arange(3), seconds=-1)
        with self.assertRaisesRegex(TypeError, "missing"):
            double.bench(**QUICK)

    def test_the_class_is_public(self):
        self.assertIsInstance(double.bench(np.arange(3), rows="interp", **QUICK), jitrun.Bench)
        self.assertRaises(AttributeError, lambda: jitrun.no_such_name)


class Timeit(unittest.TestCase):
    def test_function(self):
        bench = timeit.timeit("y = x * k\ny.sum()", "x = np.arange(10.0)\nk = 3", rows="interp",
                              against="cpython", **QUICK)  # fmt: skip
        self.assertTrue(bench.agrees, str(bench))
        self.assertTrue(timeit.timeit("square(x)", globals={"square": square, "x": 2.5}, **QUICK).agrees)
        self.assertTrue(timeit.timeit(rows="interp", **QUICK).agrees)
        with self.assertRaisesRegex(jitrun.TypingError, "nobody"):
            timeit.timeit("nobody + 1", **QUICK)

    def command(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = timeit.main(["-t", "0.02", *arguments])
        return code, out.getvalue(), err.getvalue()

    def test_command(self):
        code, out, err = self.command("-s", "x = np.ones(9)", "-r", "interp", "np.sqrt(x).sum()")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.startswith("np.sqrt(x).sum()\n"), out)
        code, out, _ = self.command("-r", "interp", "--json", "s = 0", "for i in range(9):", "    s += i", "s")
        self.assertEqual((code, json.loads(out)["rows"][0]["name"]), (0, "interp"))
        code, out, _ = self.command("-r", "interp", "--csv", "1 + 1")
        self.assertEqual(len(out.splitlines()), 2)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.svg")
            self.assertEqual(self.command("-r", "interp", "--plot", path, "1 + 1")[0], 0)
            with open(path, encoding="utf-8") as file:
                self.assertTrue(file.read().startswith("<svg"))
            path = os.path.join(folder, "p.html")
            self.assertEqual(self.command("-r", "interp", "--plot", path, "1 + 1")[0], 0)
            with open(path, encoding="utf-8") as file:
                page = file.read()
            self.assertTrue(page.startswith("<!DOCTYPE html>") and "<svg" in page and "median" in page)

    def test_command_errors(self):
        code, out, err = self.command("x +")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("error", err)
        self.assertEqual(self.command("-r", "lua", "1")[0], 1)
        self.assertEqual(self.command("no_such_name")[0], 1)
        code, _, err = self.command("-r", "interp", "--plot", "/no/where.svg", "1")
        self.assertEqual(code, 1)
        self.assertIn("cannot write /no/where.svg", err)
        self.assertRaises(SystemExit, self.command, "--plot", "p.png", "1")


if __name__ == "__main__":
    unittest.main()
