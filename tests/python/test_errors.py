"""Errors: pictures of compile errors, and kernel errors as exceptions with a traceback."""

import contextlib
import inspect
import io
import pickle
import traceback
import unittest
import warnings

import jitrun
from jitrun import TypingError, njit, prange
from support import error_of, needs_numpy, np, run_python

ARRAY = np.zeros(()) if np else None


def plain(x):
    return x


def line_of(function, text):
    """The line of the file on which a text stands in a function."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


class Compiling(unittest.TestCase):
    def picture(self, kernel, marked, *args):
        """The error of a call; checks that the caret stands under `marked`."""
        error = error_of(self, TypingError, kernel, *args)
        place = error.diagnostics[0].place
        raw = place.text.encode()[place.column : place.end_column].decode()
        self.assertEqual(raw, marked)
        self.assertEqual(place.file, __file__)
        self.assertEqual(place.line, line_of(kernel.py_func, marked))
        lines = str(error).split("\n")
        self.assertTrue(lines[1].startswith("%s:%d:" % (__file__, place.line)))
        self.assertEqual(lines[3].index("^"), lines[2].index(marked))
        return str(error)

    def test_of_the_compiler(self):
        @njit
        def kernel(x):
            é = 2
            return é + unknown_name + x  # noqa: F821

        self.assertIn("'unknown_name'", self.picture(kernel, "unknown_name", 1))

    def test_after_edits_on_the_line(self):
        from jitrun import float64 as f8

        offset = (1, 2.5)

        @njit
        def kernel(x: "f8", y: f8 = 3, z: str = None) -> f8:
            return x + offset[1] + (x < missing) + offset[0]  # noqa: F821

        self.picture(kernel, "missing", 1.0, 2.0)

    def test_of_names_from_outside(self):
        @njit
        def calls(x):
            return plain(x)

        self.assertIn("@njit", self.picture(calls, "plain", 1))

        @njit
        def chain(x):
            return x + jitrun.no_such_thing

        self.picture(chain, "jitrun.no_such_thing", 1)

    @needs_numpy
    def test_of_arrays_from_outside(self):
        @njit
        def reads(x):
            return ARRAY[x]

        self.assertIn("with 1 to 8 dimensions", self.picture(reads, "ARRAY", 1))

    def test_in_a_called_kernel(self):
        @njit
        def inner(x):
            return x[0]

        @njit
        def outer(x):
            return inner(x)

        error = error_of(self, TypingError, outer, 1)
        self.assertEqual(error.diagnostics[0].line, line_of(inner.py_func, "x[0]"))

    def test_another_call_starts_clean(self):
        @njit
        def first(x):
            return x[0]

        error_of(self, TypingError, first, 1)
        self.assertEqual(first((7, 8)), 7)
        error_of(self, TypingError, first, 1)

    def test_eager_errors_come_at_once(self):
        def kernel(x):
            return x.no_such_attribute

        self.assertIn("^", str(error_of(self, TypingError, njit("float64(float64)"), kernel)))

    def test_pickles(self):
        @njit
        def kernel(x):
            return x + missing  # noqa: F821

        error = error_of(self, TypingError, kernel, 1)
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual(str(again), str(error))


    def test_indented_as_python_allows(self):
        @njit
        def kernel(x):
# A comment at the left.
            print("""one
            two
three""")
            return (x +
    missing)  # noqa: F821

        self.picture(kernel, "missing", 1)

        @njit
        def prints():
            print("""one
            two
three""")

        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            prints()
        self.assertEqual(out.getvalue(), "one\n            two\nthree\n")

    @needs_numpy
    def test_of_parallel_loops(self):
        @njit(parallel=True)
        def race(h):
            for i in prange(1, len(h)):
                h[i] = h[i - 1]

        self.assertIn("race", self.picture(race, "[", np.zeros(5)))

        @njit(parallel=True)
        def undecided(k, h):
            for i in prange(len(k)):
                h[k[i]] = 1

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            undecided(np.arange(4), np.zeros(4))
        self.assertEqual([w.category for w in caught], [jitrun.JitrunWarning])
        self.assertEqual(caught[0].lineno, line_of(undecided.py_func, "h[k[i]] = 1"))


class NoSource(unittest.TestCase):
    def test_says_so(self):
        text = "from jitrun import njit\n@njit\ndef f(x):\n    return x\n"
        self.assertIn("source", str(error_of(self, jitrun.SourceError, exec, text, {})))

    def test_of_a_command(self):
        """`python -c` has a source; exec() within it has none, though it names its file alike."""
        text = "from jitrun import njit\n@njit\ndef f(x):\n    return x\n"
        made = run_python("-c", text + "print(f(1))\n")
        self.assertEqual((made.stdout, made.stderr), ("1\n", ""))
        made = run_python("-c", "%sexec(%r)\n" % (text, text.replace("x\n", "x + 1\n")))
        self.assertIn("jitrun.errors.SourceError", made.stderr)

    def test_of_a_lambda(self):
        self.assertIn("def", str(error_of(self, jitrun.SourceError, njit, lambda x: x)))


class Running(unittest.TestCase):
    def test_each_exception(self):
        raisers = {}
        for name in (
            "IndexError ZeroDivisionError ValueError TypeError OverflowError ArithmeticError "
            "FloatingPointError AssertionError RuntimeError NotImplementedError RecursionError "
            "MemoryError KeyError LookupError StopIteration Exception"
        ).split():
            raisers[name] = njit(getattr(Raisers, name))
        for name, kernel in raisers.items():
            try:
                kernel(1)
            except Exception as error:
                self.assertEqual((type(error).__name__, error.args), (name, ("why",)))
            else:
                self.fail(name)

    def test_traceback(self):
        @njit
        def inner(x, n):
            return x[
                n
            ]

        @njit
        def outer(x):
            s = 0
            for i in range(4):
                s += inner(x, i)
            return s

        error = error_of(self, IndexError, outer, np.arange(3) if np else (1, 2, 3))
        frames = traceback.extract_tb(error.__traceback__)[-2:]
        self.assertEqual([f.name for f in frames], ["outer", "inner"])
        self.assertEqual([f.filename for f in frames], [__file__] * 2)
        self.assertEqual(frames[0].lineno, line_of(outer.py_func, "inner(x, i)"))
        self.assertIn("index", str(error))

    def test_recursion(self):
        @njit
        def deep(n):
            if n < 0:
                return 0
            return deep(n + 1) + 1

        error = error_of(self, RecursionError, deep, 0)
        text = "".join(traceback.format_exception(None, error, error.__traceback__))
        self.assertIn("in deep", text)
        self.assertEqual(deep(-1), 0)

    def test_message_with_a_zero(self):
        @njit
        def f(x):
            if x:
                raise ValueError("a\0b")

        self.assertEqual(str(error_of(self, ValueError, f, 1)), "a\0b")

    @needs_numpy
    def test_read_only(self):
        @njit
        def write(x):
            x[0] = 1.0

        x = np.zeros(3)
        x.flags.writeable = False
        self.assertIn("read-only", str(error_of(self, TypeError, write, x)))
        self.assertEqual(x[0], 0)


class Raisers:
    """One function for each exception, made below."""


def _make_raisers():
    import linecache

    for name in (
        "IndexError ZeroDivisionError ValueError TypeError OverflowError ArithmeticError "
        "FloatingPointError AssertionError RuntimeError NotImplementedError RecursionError "
        "MemoryError KeyError LookupError StopIteration Exception"
    ).split():
        # As a notebook does it: text that Python has in its line cache is a source.
        text = "def kernel(x):\n    if x > 0:\n        raise %s('why')\n    return x\n" % name
        file = "<cell %s>" % name
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        scope = {}
        exec(compile(text, file, "exec"), scope)
        setattr(Raisers, name, scope["kernel"])


_make_raisers()

if __name__ == "__main__":
    unittest.main()
