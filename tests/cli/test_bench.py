#!/usr/bin/env python3
"""The command: --bench, and what it is compared with."""
import json
import sys
import unittest

from command import ENGINES, Command


class Bench(Command):
    """--bench: what it writes, never how long something takes."""

    QUICK = ["--bench", "--bench-time", "0.02"]

    def rows(self, *args, code=0):
        got, out, err = self.run_command("k.src", *self.QUICK, *args, "--format", "json")
        self.assertEqual((got, err), (code, ""), out)
        return json.loads(out)["rows"]

    def test_table(self):
        code, out, err = self.run_command("k.src", *self.QUICK, "-e", "total", "np.arange(50.0)")
        self.assertEqual((code, err), (0, ""), out)
        for text in [*ENGINES, "total in k.src", "median", "speed-up", "optimise", "generate"]:
            self.assertIn(text, out)
        if len(ENGINES) > 1:
            self.assertIn("results: the same to the bit", out)

    def test_json(self):
        rows = self.rows("-e", "total", "np.arange(50.0)", "--operations", "49", "--bytes", "400")
        self.assertEqual([row["name"] for row in rows], ENGINES)
        for row in rows:
            self.assertEqual(len(row["samples"]), row["sample_count"])
            self.assertLessEqual(row["min"], row["median"])
            self.assertAlmostEqual(row["operations_rate"] * row["median"], 49, 3)
            self.assertAlmostEqual(row["bytes_rate"] * row["median"], 400, 3)
            self.assertGreater(row["parse"], 0)

    def test_one_engine(self):
        rows = self.rows("-e", "add", "1", "2", "--backend", "interp")
        self.assertEqual([row["name"] for row in rows], ["interp"])

    def test_body_and_main(self):
        self.assertEqual(len(self.rows()), len(ENGINES))
        (self.path / "k.src").write_text("print('unseen')\n")
        self.assertEqual(len(self.rows()), len(ENGINES))

    def test_sweep_and_csv(self):
        code, out, err = self.run_command(
            "k.src", *self.QUICK, "-e", "total", "--sweep", "n=10:1000", "np.ones(n)",
            "--backend", "interp", "--format", "csv", "--plot", "p.svg")
        self.assertEqual((code, err), (0, ""), out)
        for size in (10, 100, 1000):
            self.assertIn(f"n = {size}\n", out)
        self.assertNotIn("n = 10000\n", out)
        picture = (self.path / "p.svg").read_text()
        self.assertTrue(picture.startswith("<svg") and "<polyline" in picture)
        code, out, _ = self.run_command(
            "k.src", *self.QUICK, "-e", "add", "--sweep", "x=2:4:2", "x", "max(x, 1)",
            "--backend", "interp", "--format", "json")
        self.assertEqual([at["size"] for at in json.loads(out)["sizes"]], [2, 4])

    def test_sizes_of_a_small_factor(self):
        """Each whole size once, so that the curves' sizes rise."""
        code, out, err = self.run_command(
            "k.src", *self.QUICK, "-e", "add", "--sweep", "n=1:3:1.2", "n", "n*n", "--backend", "interp",
            "--format", "json", "--plot", "p.svg")
        self.assertEqual((code, err), (0, ""), out)
        self.assertEqual([at["size"] for at in json.loads(out)["sizes"]], [1, 2, 3])

    def test_page(self):
        code, out, err = self.run_command(
            "k.src", *self.QUICK, "-e", "add", "1", "2", "--backend", "interp", "--plot", "p.html")
        self.assertEqual((code, err), (0, ""), out)
        page = (self.path / "p.html").read_text()
        self.assertTrue(page.startswith("<!DOCTYPE html>"))
        for part in ("<svg", "add in k.src", "median", "</html>"):
            self.assertIn(part, page)

    def test_nothing_to_time(self):
        (self.path / "k.src").write_text("def f(x):\n    return x\n")
        self.check(["k.src", *self.QUICK], 2, err="no statements to time: name a function with -e")

    def test_compare(self):
        # Long enough for the test to have samples, however busy the machine; it ends when it has.
        bench = ["k.src", "--bench", "--bench-time", "3", "-e", "add", "1", "2", "--backend", "interp"]
        code, out, err = self.run_command(*bench, "--format", "json", "-o", "old.json")
        self.assertEqual((code, out, err), (0, "", ""))
        code, out, err = self.run_command(*bench, "--compare", "old.json")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("against old.json", out)
        # A thousandth of the time then: it has become slower for certain.
        old = json.loads((self.path / "old.json").read_text())
        for row in old["rows"]:
            row["median"] /= 1000
            row["samples"] = [s / 1000 for s in row["samples"]]
        (self.path / "old.json").write_text(json.dumps(old))
        code, out, err = self.run_command(*bench, "--compare", "old.json")
        self.assertRegex(out, r"interp .* slower\n")
        for text in ("", "[", "{}", '{"format": 2, "rows": []}', '{"a": "' + "\\" + '"}', "[" * 999):
            (self.path / "bad.json").write_text(text)
            code, _, err = self.run_command(*bench, "--compare", "bad.json")
            self.assertEqual(code, 2, text)
            self.assertIn("bad.json is not", err)

    def test_errors(self):
        self.check(["k.src", *self.QUICK, "-e", "fails", "0"], 1, err="ZeroDivisionError")
        for args, message in [
            (["--sweep", "n=1:10"], "goes with --bench"),
            (["--plot", "x.svg"], "goes with --bench"),
            (["--format", "csv"], "goes with --bench"),
            (["--bench", "--plot", "x.pdf"], "named .svg or .html, not 'x.pdf'"),
            (["--bench", "-e", "add", "--sweep", "n=1:10", "1", "x.n"], "no ARG has the name 'n'"),
            (["--bench", "--sweep", "n=10:1"], "--sweep takes"),
            (["--bench", "--sweep", "1=1:10"], "--sweep takes"),
            (["--bench", "--sweep", "n=1:10"], "ARGs in which the size stands"),
            (["--bench", "--check"], "goes without"),
            (["--bench", "--bench-time", "0"], "above 0"),
            (["--bench", "--operations", "x"], "above 0"),
        ]:
            self.check(["k.src", *args], 2, err=message)
        self.check(["k.src", *self.QUICK, "-e", "add", "1", "2", "--plot", "no/where.svg", "-o", "x"],
                   2, err="no/where.svg")

    def test_interrupted(self):
        (self.path / "k.src").write_text("while True:\n    pass\n")
        self.check(["k.src", *self.QUICK, "--timeout", "0.3"], 124, err="TimeoutError")


class Against(Command):
    """--bench --against: the same file in CPython, and under what calls itself numba."""

    SOURCE = """\
import numpy as np
from jitrun import njit, prange, float64

SCALE = 2.0

@njit(parallel=True)
def dot(x: float64[::1], y: float64[::1], scale: float = SCALE, more: int = 1) -> float:
    s = 0.0
    for i in prange(len(x)):
        s += x[i] * y[i]
    return s * scale + more

def mixed(x, pair, flag):
    print('unseen')
    x += pair[0]
    return x[1:], (x.sum(), len(x), not flag)

def cubed(n):
    return n * n * n

print('loud', dot(np.ones(3), np.ones(3)))
"""
    NUMBA = "def njit(*args, error_model=None, **options):\n" \
            "    return args[0] if args and callable(args[0]) else lambda f: f\n" \
            "prange = range\n" \
            "class Type:\n    def __getitem__(self, index):\n        return self\n" \
            "float64 = Type()\n"

    def rows(self, *args, against="cpython", code=0, **environment):
        (self.path / "a.src").write_text(self.SOURCE)
        environment = {"JITRUN_PYTHON": sys.executable, **environment}
        got, out, err = self.run_command("a.src", *Bench.QUICK, "--backend", "interp", "--against",
                                         against, *args, "--format", "json", **environment)
        self.assertEqual((got, err), (code, ""), out)
        return {row["name"]: row for row in json.loads(out)["rows"]}

    def check_row(self, row):
        self.assertEqual((row["error"], row["difference"]), (None, None))
        self.assertGreater(row["sample_count"], 0)
        self.assertGreater(row["first_call"], 0)

    def test_arrays_and_defaults(self):
        self.check_row(self.rows("-e", "dot", "np.arange(50.0)", "np.ones(100)[::2].copy()")["cpython"])
        self.check_row(self.rows("-e", "dot", "[1.5]", "[2.5]", "more=3")["cpython"])
        self.check_row(self.rows("-e", "dot", "[1.5]", "[2.5]", "0.1")["cpython"])

    def test_written_arguments_and_tuples(self):
        self.check_row(self.rows("-e", "mixed", "np.arange(50.0)[::-3]", "(3, 2.5)", "True")["cpython"])

    def test_body(self):
        rows = self.rows(against="cpython,numba", PYTHONPATH=str(self.numba()))
        self.check_row(rows["cpython"])
        self.assertIn("name one with -e", rows["numba"]["error"])

    def numba(self):
        folder = self.path / "stand-in"
        folder.mkdir(exist_ok=True)
        (folder / "numba.py").write_text(self.NUMBA)
        return folder

    def test_numba(self):
        rows = self.rows("-e", "dot", "[1.5]", "[2.5]", against="numba,cpython",
                         PYTHONPATH=str(self.numba()))
        self.assertEqual(list(rows), ["interp", "cpython", "numba"])
        self.check_row(rows["numba"])
        (self.numba() / "numba.py").write_text("raise ImportError")
        rows = self.rows("-e", "dot", "[1.5]", "[2.5]", against="numba", PYTHONPATH=str(self.path / "stand-in"))
        self.assertIn("numba is not installed for", rows["numba"]["error"])

    def test_results_are_compared(self):
        row = self.rows("-e", "cubed", "3000000", code=1)["cpython"]
        self.assertIn("the result", row["difference"])
        self.assertEqual(row["sample_count"], 0)

    def test_python_that_is_not_there(self):
        for python, why in (("/nonexistent/python", "not found"), ("true", "ended without an answer")):
            row = self.rows("-e", "cubed", "3", JITRUN_PYTHON=python)["cpython"]
            self.assertIn(why, row["error"])

    def test_python_that_does_not_answer(self):
        (self.path / "slow").write_text("#!/bin/sh\nexec sleep 100\n")
        (self.path / "slow").chmod(0o755)
        (self.path / "a.src").write_text(self.SOURCE)
        code, out, err = self.run_command(
            "a.src", *Bench.QUICK, "--backend", "interp", "--against", "cpython", "-e", "cubed", "3",
            "--timeout", "2", JITRUN_PYTHON="./slow")
        self.assertEqual((code, out, err), (124, "", "jitrun: error: timed out\n"))

    def test_errors(self):
        self.check(["k.src", "--bench", "--against", "pypy"], 2, err="--against takes cpython, numba")
        self.check(["k.src", "--bench", "--against", ""], 2, err="--against takes")
        self.check(["k.src", "--against", "cpython"], 2, err="goes with --bench")


if __name__ == "__main__":
    unittest.main()
