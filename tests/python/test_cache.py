"""cache=True: what other processes find of it. Counted, never timed."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

from jitrun import engine
from support import needs_numpy

# Prints f.stats as [hits, misses] for each kernel that a program has named in KERNELS.
REPORT = """
import json
print(json.dumps([[sum(k.stats.cache_hits.values()), sum(k.stats.cache_misses.values())]
                  for k in KERNELS]))
"""


@unittest.skipUnless(engine.engine_available("llvm"), "the LLVM engine is not there")
class Cached(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.cache = os.path.join(self.folder, "cache")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        return path

    def python(self, *arguments, **env):
        given = dict(os.environ, JITRUN_CACHE_DIR=self.cache, JITRUN_ENGINE="llvm")
        given["PYTHONDONTWRITEBYTECODE"] = "1"  # modules change within a second
        given.update(env)
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, env=given, cwd=self.folder
        )

    def run_program(self, text, name="program.py", **env):
        """What it prints last, as JSON, and what it prints on standard error."""
        done = self.python(self.write(name, text), **env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1]), done.stderr

    def stats(self, text, **env):
        return self.run_program(textwrap.dedent(text) + REPORT, **env)[0]


class Kernels(Cached):
    TEXT = """
        from jitrun import njit
        FACTOR = {factor}

        @njit(cache=True)
        def scaled(x):
            return x * FACTOR {more}

        KERNELS = [scaled]
        assert scaled({argument}) == {argument} * {factor}
    """

    def text(self, factor=2.5, argument=3.0, more=""):
        return self.TEXT.format(factor=factor, argument=argument, more=more)

    def test_second_process(self):
        self.assertEqual(self.stats(self.text()), [[0, 1]])
        self.assertEqual(self.stats(self.text()), [[1, 0]])
        self.assertEqual(len(os.listdir(self.cache)), 1)

    def test_what_changes_the_code(self):
        self.stats(self.text())
        for other in (
            self.text(factor=2.25),
            self.text(argument=3),
            self.text(more="+ 0.0"),
            self.text().replace("cache=True", "cache=True, fastmath=True"),
        ):
            self.assertEqual(self.stats(other), [[0, 1]], other)
            self.assertEqual(self.stats(other), [[1, 0]], other)
        self.assertEqual(self.stats(self.text()), [[1, 0]])

    def test_what_does_not(self):
        self.stats(self.text())
        moved = "# a comment\n\n" + textwrap.dedent(self.text())
        self.assertEqual(self.stats(moved), [[1, 0]])
        other, _ = self.run_program(moved + REPORT, name="elsewhere.py")
        self.assertEqual(other, [[1, 0]])

    def test_what_a_callee_changes(self):
        """Of which numba knows nothing when the callee is in another file."""
        main = """
            from jitrun import njit
            from helper import helper

            @njit(cache=True)
            def outer(x):
                return helper(x) + 1

            KERNELS = [outer]
            assert outer(5) == 5 * {factor} + 1
        """
        helper = "from jitrun import njit\n@njit\ndef helper(x):\n    return x * %d\n"
        for factor in (2, 3):
            self.write("helper.py", helper % factor)
            self.assertEqual(self.stats(main.format(factor=factor)), [[0, 1]])
            self.assertEqual(self.stats(main.format(factor=factor)), [[1, 0]])

    def test_without_it(self):
        text = self.text().replace("cache=True", "cache=False")
        self.assertEqual(self.stats(text), [[0, 0]])
        self.assertFalse(os.path.exists(self.cache))

    def test_errors_show_the_lines_as_they_are_now(self):
        text = """
            from jitrun import njit
            @njit(cache=True)
            def divide(a, b):
                return a // b
            KERNELS = [divide]
            try:
                divide(1, 0)
            except ZeroDivisionError as error:
                line = error.__traceback__.tb_next.tb_lineno
                assert line == %d, line
        """
        self.assertEqual(self.stats(text % 5), [[0, 1]])
        moved = "\n\n" + textwrap.dedent(text) % 7
        self.assertEqual(self.stats(moved), [[1, 0]])

    def test_dash_c(self):
        text = (
            "from jitrun import njit\n@njit(cache=True)\ndef f(x): return x + 1\n"
            "f(2); print(len(f.stats.cache_hits), f.stats.cache_path)"
        )
        for hits in "01":
            done = self.python("-c", text)
            self.assertEqual(done.stdout.split(), [hits, self.cache], done.stderr)

    def test_other_processes_of_a_pickle(self):
        text = """
            import multiprocessing
            from jitrun import njit

            @njit(cache=True)
            def f(x):
                return x * 3 - 1

            def work(x):
                return f(x), len(f.stats.cache_hits)

            if __name__ == "__main__":
                f(1)
                with multiprocessing.get_context("spawn").Pool(2) as pool:
                    assert set(pool.map(work, [2, 2, 2])) == {(5, 1)}
        """
        done = self.python(self.write("program.py", text))
        self.assertEqual(done.returncode, 0, done.stderr)


class Problems(Cached):
    TEXT = """
        from jitrun import njit
        @njit(cache=True)
        def f(x):
            return x + 1
        KERNELS = [f]
        assert f(2) == 3 and f(2.5) == 3.5
    """

    def test_a_folder_that_cannot_be_used(self):
        self.write("cache", "a file")
        stats, said = self.run_program(textwrap.dedent(self.TEXT) + REPORT)
        self.assertEqual(stats, [[0, 2]])
        self.assertIn("JitrunWarning: cache=True: compiled code is not kept: Not a directory", said)
        self.assertIn(self.cache, said)
        self.assertEqual(said.count("JitrunWarning"), 1)

    def test_a_folder_that_others_can_write_to(self):
        os.mkdir(self.cache)
        os.chmod(self.cache, 0o777)
        stats, said = self.run_program(textwrap.dedent(self.TEXT) + REPORT)
        self.assertEqual(stats, [[0, 2]])
        self.assertIn("others can write to it", said)
        self.assertEqual(os.listdir(self.cache), [])

    def test_spoiled(self):
        self.stats(self.TEXT)
        for name in os.listdir(self.cache):
            with open(os.path.join(self.cache, name), "r+b") as file:
                file.seek(-5, 2)
                file.write(b"?????")
        self.assertEqual(self.stats(self.TEXT), [[0, 2]])
        self.assertEqual(self.stats(self.TEXT), [[2, 0]])

    def test_another_engine(self):
        stats, said = self.run_program(textwrap.dedent(self.TEXT) + REPORT, JITRUN_ENGINE="interp")
        self.assertEqual((stats, said), ([[0, 0]], ""))
        self.assertFalse(os.path.exists(self.cache))


@needs_numpy
class Everything(Cached):
    def test_all_decorators(self):
        text = """
            import ctypes
            import math
            import numpy as np
            from jitrun import cfunc, guvectorize, njit, prange, vectorize

            TABLE = np.array([1.0, 2.0, 4.0])

            @njit(cache=True, parallel=True)
            def total(x):
                s = 0.0
                for i in prange(len(x)):
                    s += math.sin(x[i])
                return s

            @njit(cache=True)
            def looked_up(i):
                return TABLE[i]

            @njit(["float64(float64)", "int64(int64)"], cache=True)
            def declared(x):
                return x * 2

            @cfunc("float64(float64)", cache=True)
            def bell(x):
                print("bell", x)
                return math.exp(-x * x)

            @vectorize(cache=True)
            def clipped(x):
                return max(x, 0.0)

            @guvectorize(["void(float64[:], float64[:])"], "(n)->()", cache=True)
            def mean(x, out):
                out[0] = x.mean()

            x = np.linspace(-1, 1, 5)
            assert abs(total(x)) < 1e-15 and looked_up(2) == 4.0
            assert declared(2) == 4 and declared(1.5) == 3.0
            assert bell.ctypes(0.0) == 1.0 and bell(0.0) == 1.0
            assert clipped(x)[0] == 0.0 and mean(np.ones((2, 3))).tolist() == [1.0, 1.0]
            KERNELS = [total, looked_up, declared, bell._kernel, clipped.kernel, mean._kernel]
        """
        first, second = self.stats(text), self.stats(text)
        self.assertEqual([hits for hits, _ in first], [0] * 6)
        self.assertEqual([misses for _, misses in second], [0] * 6)
        self.assertEqual([misses for _, misses in first], [hits for hits, _ in second])
        self.assertTrue(all(misses for _, misses in first), first)

    def test_what_a_table_holds_is_no_part_of_the_code(self):
        text = """
            import numpy as np
            from jitrun import njit
            TABLE = np.array([%s])
            @njit(cache=True)
            def f(i):
                return TABLE[i]
            KERNELS = [f]
            assert f(1) == TABLE[1]
        """
        self.assertEqual(self.stats(text % "1.0, 2.0"), [[0, 1]])
        self.assertEqual(self.stats(text % "3.0, 5.0"), [[1, 0]])
        self.assertEqual(self.stats(text % "3, 5"), [[0, 1]])


if __name__ == "__main__":
    unittest.main()
