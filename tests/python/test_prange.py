"""The programs of tests/prange as ordinary Python functions with @njit(parallel=True): what they print
and raise is what their comments say, and what the same functions do in CPython."""

import json
import os
import pathlib
import re
import unittest

from support import needs_numpy, run_python

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE.parent / "prange"
# Numbers that a kernel returns are Python's. These programs' bodies, which are CPython's here, show it:
# a float32 prints as the float it comes as, and 1 / 0.0 raises. What becomes of their last line:
OTHERWISE = {
    "reduce/float_same_bits.src": ("(9.094308852984433, 4999.99999999995, 9.094307899475098)", None),
    "whole/maximum_scalar.src": (None, "ZeroDivisionError"),
}
COMMENT = re.compile(r"# expect(?P<kind>| raise| error):(?: (?P<text>.*))?$")


class Expected:
    """What a program's comments say."""

    def __init__(self, path):
        text = pathlib.Path(path).read_text(encoding="utf-8")
        self.printed, self.errors, self.raised = [], [], None
        self.oracle = "# oracle: skip" not in text and "# parallel: only" not in text
        for number, line in enumerate(text.split("\n"), 1):
            found = COMMENT.search(line)
            if found and not found["kind"]:
                self.printed.append(found["text"] or "")
            elif found and found["kind"] == " error":
                self.errors.append((number, found["text"]))
            elif found:
                self.raised = (number, found["text"])


@needs_numpy
class Conformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = run_python(
            str(HERE / "conformance.py"),
            str(PROGRAMS),
            NPY_PROMOTION_STATE="weak",
            JITRUN_PARALLEL_THRESHOLD="0",
            JITRUN_NUM_THREADS="2",
        )
        if made.returncode:
            raise AssertionError(made.stderr)
        cls.runs = json.loads(made.stdout)

    def test_programs(self):
        self.assertGreater(len(self.runs), 200)
        for run in self.runs:
            name = os.path.relpath(run["path"], PROGRAMS)
            with self.subTest(name):
                if name in OTHERWISE:
                    self.check_otherwise(run["kernel"], Expected(run["path"]), *OTHERWISE[name])
                    continue
                self.check(run["kernel"], run["python"], Expected(run["path"]))

    def check(self, kernel, python, expected):
        if expected.errors:
            self.assertEqual(kernel["error"] and kernel["error"]["class"], "TypingError", kernel)
            for line, text in expected.errors:
                messages = [m for n, m in kernel["error"]["found"] if n == line]
                self.assertTrue(any(text in m for m in messages), (line, text, kernel))
            return
        self.assertEqual(kernel["printed"], expected.printed)
        self.check_raised(kernel["error"], expected.raised)
        if expected.oracle:
            self.assertEqual(python["printed"], expected.printed)
            if expected.raised:
                self.assertEqual(python["error"]["class"], kernel["error"]["class"])
                self.assertEqual(python["error"]["lines"], kernel["error"]["lines"])

    def check_otherwise(self, kernel, expected, last, error):
        last = [] if last is None else [last]
        self.assertEqual(kernel["printed"], expected.printed[:-1] + last)
        self.assertEqual(kernel["error"] and kernel["error"]["class"], error)

    def check_raised(self, error, expected):
        if expected is None:
            self.assertIsNone(error)
            return
        line, text = expected
        self.assertIsNotNone(error)
        self.assertEqual(error["lines"][-1], line)
        self.assertTrue(("%(class)s: %(message)s" % error).startswith(text.rstrip(":")), error)


if __name__ == "__main__":
    unittest.main()
