"""The decorator: options, signatures, names from outside, several files, pickling, threads."""

import doctest
import functools
import gc
import io
import math
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
import types as pytypes
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout

import jitrun
from jitrun import float64, int32, int64, njit, prange
from support import error_of, import_text, needs_numpy, np, run_python

N = 3
PAIR = (1, 2.5)
SETTINGS = pytypes.ModuleType("settings")
SETTINGS.scale = 4


@njit
def scaled(x, factor=2, *, offset=-1):
    return x * factor + offset


@njit(parallel=True)
def dot(x, y):
    s = 0.0
    for i in prange(len(x)):
        s += x[i] * y[i]
    return s


@njit
def factorial(n):
    if n < 2:
        return 1
    return n * factorial(n - 1)


@njit
def is_even(n):
    if n == 0:
        return True
    return is_odd(n - 1)


@njit
def is_odd(n):
    if n == 0:
        return False
    return is_even(n - 1)


@njit
def uses_globals(x):
    return x * N + PAIR[1] + SETTINGS.scale + math.sqrt(16.0)


def later_maker(k, function):
    @njit
    def inner(x):
        return function(x) + k

    return inner


@njit(error_model="python", fastmath=True, nogil=True, cache=True, inline="always")
def reciprocal(x):
    return 1.0 / x


@njit
def annotated(x: float, n: "int", name: str = None) -> float64:
    return x + n


@njit
def greet(x):
    print("grüß", x)


@njit("float32(float32, float32)")
def declared_float32(x, y):
    if x < 0:
        return 1
    t = math.sin(x)
    return (
        t * y +  # a comment
        math.floor(y)
    )


@njit("float64(int64)")
def declared_recursion(n):
    return 0 if n < 2 else declared_recursion(n - 1) + 1


class Declared(unittest.TestCase):
    """With a result's type."""

    def test_float_results_are_cast(self):
        expected = declared_float32.py_func(0.5, 2.0)
        self.assertNotEqual(declared_float32(0.5, 2.0), expected)
        self.assertAlmostEqual(declared_float32(0.5, 2.0), expected, 6)
        self.assertEqual(declared_float32(-1, 2), 1.0)
        self.assertEqual(declared_float32.nopython_signatures, ["float32(float32, float32)"])

    def test_recursion(self):
        self.assertEqual(declared_recursion(5), 4.0)
        self.assertIs(type(declared_recursion(5)), float)

    def test_places_of_errors(self):
        with self.assertRaises(jitrun.TypingError) as caught:

            @njit("float32(float32)")
            def wrong(x):
                return x + x.nothing + 1

        found = caught.exception.diagnostics[0]
        self.assertEqual(found.column, len("                return x + x.") + 1)
        with self.assertRaises(jitrun.TypingError):

            @njit("int64(float64)")
            def truncated(x):
                return x


class Decorator(unittest.TestCase):
    def test_lazy(self):
        @njit
        def twice(x):
            return x + x

        self.assertEqual((twice(2), twice(2.5), twice(3)), (4, 5.0, 6))
        self.assertEqual(twice.signatures, [(int64,), (float64,)])
        self.assertEqual(twice.nopython_signatures, ["int64(int64)", "float64(float64)"])
        self.assertEqual(twice.py_func("ab"), "abab")
        self.assertEqual(twice.__name__, "twice")

    def test_eager(self):
        @njit("float64(float64, int64)")
        def text(x, n):
            return x * n

        @njit(int32(int32, int32))
        def objects(x, n):
            return x * n

        @njit([int64(int64), "float64(float64)"])
        def several(x):
            return x + 1

        @njit("(int64,)")
        def no_result(x):
            return x / 2

        self.assertEqual(len(text.signatures), 1)
        self.assertEqual((text(3, 2), objects(2**30, 8)), (6.0, 0))
        self.assertEqual((several(1), several(1.5)), (2, 2.5))
        self.assertEqual(no_result(3), 1.5)
        found = str(error_of(self, TypeError, text, 1, 1.5))
        self.assertEqual(found, "argument 2, 'n', is int64: float64 cannot be passed")
        error_of(self, TypeError, objects, 2**40, 1)

    def test_bad_use(self):
        self.assertIn("'parallel'", str(error_of(self, TypeError, njit, paralel=True)))
        error_of(self, ValueError, njit, error_model="c")
        for bad in (3, "float64(", "nothing(int64)"):
            error_of(self, TypeError, njit, bad)
        with self.assertRaises(TypeError):
            njit("int64(int64, int64)")(factorial.py_func)

    def test_arguments_as_python_binds_them(self):
        for args, kwargs in (
            ((3,), {}),
            ((3, 4), {}),
            ((3,), {"offset": 2.5}),
            ((), {"x": 1, "factor": 5}),
        ):
            self.assertEqual(scaled(*args, **kwargs), scaled.py_func(*args, **kwargs))
        for args, kwargs in (((), {}), ((1, 2, 3), {}), ((1,), {"y": 2}), ((1,), {"x": 2})):
            expected = error_of(self, TypeError, scaled.py_func, *args, **kwargs)
            found = error_of(self, TypeError, scaled, *args, **kwargs)
            self.assertEqual(str(found).split()[1], str(expected).split()[1])

    def test_annotations(self):
        self.assertEqual(annotated(1, 2), 3.0)
        self.assertEqual(annotated.nopython_signatures[0].split("(")[0], "float64")
        error_of(self, TypeError, annotated, 1.0, 2.5)

    def test_annotations_of_what_is_not_there(self):
        text = """
            from typing import TYPE_CHECKING
            from jitrun import njit
            if TYPE_CHECKING:
                from numpy.typing import NDArray

            @njit
            def f(x: "NDArray", n: int = 3) -> "Later":
                return x * n

            @njit
            def g(x: "Alias") -> "float32":
                return x

            Alias = int
            from jitrun import float32
            print(f(2), g(2), g.nopython_signatures)
        """
        run = textwrap.dedent(text)
        wanted = "6 2.0 ['float32(int64)']\n"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.py")
            for quoted in (True, False)[: 2 if sys.version_info >= (3, 14) else 1]:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(run if quoted else run.replace('"', ""))
                done = subprocess.run([sys.executable, path], capture_output=True, text=True)
                self.assertEqual(done.stdout, wanted, done.stderr)

    def test_what_is_decorated(self):
        for what in (len, int, functools.partial(max, 1), np.sqrt if np else abs):
            error = error_of(self, TypeError, njit, what)
            self.assertIn("njit decorates functions made with def, not", str(error))
        with self.assertRaisesRegex(TypeError, "put @njit below @staticmethod"):

            class Holder:
                @njit
                @staticmethod
                def method(x):
                    return x

    def test_any_number_of_arguments(self):
        @njit
        def stars(*a):
            return a[0]

        @njit
        def words(a, **k):
            return a

        for call in (lambda: stars(1, 2), lambda: stars()):
            error = error_of(self, jitrun.TypingError, call)
            self.assertIn("*args parameters are not supported", str(error))
        for call in (lambda: words(1), lambda: words(1, b=2)):
            error = error_of(self, jitrun.TypingError, call)
            self.assertIn("**kwargs parameters are not supported", str(error))

    def test_options(self):
        self.assertEqual(reciprocal(4.0), 0.25)
        error_of(self, ZeroDivisionError, reciprocal, 0.0)

    def test_names_from_outside(self):
        self.assertEqual(uses_globals(2), 2 * 3 + 2.5 + 4 + 4.0)
        add = later_maker(10, factorial)
        both = later_maker(0.5, add)
        self.assertEqual((add(4), both(4)), (34, 34.5))

    def test_recursion(self):
        self.assertEqual(factorial(10), 3628800)
        self.assertEqual((is_even(10), is_even(7)), (True, False))

        def plain(n):
            return 1 if n < 2 else n * plain(n - 1)

        self.assertEqual(njit(plain)(5), 120)

    def test_print_goes_where_python_prints(self):
        out = io.StringIO()
        with redirect_stdout(out):
            greet(2.5)
        self.assertEqual(out.getvalue(), "grüß 2.5\n")

    def test_every_engine(self):
        for engine in ("interp", "tcc", "llvm"):
            if jitrun.engine_available(engine):
                self.assertEqual(njit(engine=engine)(factorial.py_func)(5), 120)
        error_of(self, jitrun.EngineError, njit(engine="fast")(factorial.py_func), 5)

    def test_doctest(self):
        text = "\n".join(
            [
                ">>> from jitrun import njit",
                ">>> @njit",
                "... def twice(x):",
                "...     return x * 2",
                ">>> twice(4)",
                "8",
            ]
        )
        test = doctest.DocTestParser().get_doctest(text, {}, "sample", None, 0)
        self.assertEqual(doctest.DocTestRunner().run(test).failed, 0)

    def test_looking_inside(self):
        factorial(3)
        out = io.StringIO()
        factorial.inspect_types(file=out, signature="(int64)")
        self.assertIn("int64", out.getvalue())
        self.assertIn("factorial", factorial.inspect_ir()[(int64,)])
        if jitrun.engine_available("llvm"):
            self.assertIn("define", factorial.inspect_llvm("(int64)"))

    @needs_numpy
    def test_arrays(self):
        x, y = np.arange(1000.0), np.ones(1000)
        self.assertEqual(dot(x, y), x.sum())
        self.assertEqual(dot(x[::2], y[:500]), x[::2].sum())


class Numba(unittest.TestCase):
    def test_what_is_missing(self):
        for name, text in (("stencil", "prange"), ("objmode", "before or after")):
            with self.assertRaises(ImportError) as caught:
                exec("from jitrun import " + name)
            self.assertIn("jitrun has no %r" % name, str(caught.exception))
            self.assertIn(text, str(caught.exception))
        self.assertFalse(hasattr(jitrun, "nothing"))


class SeveralFiles(unittest.TestCase):
    def test_the_same_names_in_two_modules(self):
        with tempfile.TemporaryDirectory() as folder:
            first = import_text(
                folder,
                "jitrun_first",
                "from jitrun import njit\nK = 10\n\n\n@njit\ndef value(x):\n    return x + K\n"
                "\n\n@njit\ndef fail(x):\n    return value(x) // 0\n",
            )
            second = import_text(
                folder,
                "jitrun_second",
                "import jitrun_first\nimport jitrun as jr\nfrom jitrun_first import value as other\n"
                "K = 1\n\n\n@jr.njit\ndef value(x):\n"
                "    return other(x) * 100 + jitrun_first.value(x) + K + jitrun_first.K\n\n\n"
                "@jr.njit\ndef fail(x):\n    return jitrun_first.fail(value(x))\n",
            )
            self.assertEqual(first.value(5), 15)
            self.assertEqual(second.value(5), 1526)
            error = error_of(self, ZeroDivisionError, second.fail, 5)
            frames = traceback.extract_tb(error.__traceback__)[-2:]
            self.assertEqual(
                [(os.path.basename(f.filename), f.lineno, f.name) for f in frames],
                [("jitrun_second.py", 14, "fail"), ("jitrun_first.py", 12, "fail")],
            )


class Pickling(unittest.TestCase):
    def test_here(self):
        for kernel in (factorial, uses_globals, is_even, later_maker(3, factorial)):
            self.assertIs(pickle.loads(pickle.dumps(kernel)), kernel)

    def test_in_another_process(self):
        kernels = [factorial, uses_globals, is_even, later_maker(0.5, factorial), scaled]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "kernels")
            with open(path, "wb") as file:
                pickle.dump([kernels, [k(4) for k in kernels]], file)
            made = run_python(
                "-c",
                "import pickle, sys\n"
                "kernels, values = pickle.load(open(sys.argv[1], 'rb'))\n"
                "assert [k(4) for k in kernels] == values\n"
                "assert [k.py_func(4) for k in kernels] == values\n"
                "again, _ = pickle.load(open(sys.argv[1], 'rb'))\n"
                "assert again[0] is kernels[0]\n",
                path,
            )
        self.assertEqual(made.returncode, 0, made.stderr)


class Memory(unittest.TestCase):
    def test_dropped_kernels_are_freed(self):
        def kilobytes():
            gc.collect()
            with open("/proc/self/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * 4

        def make(count):
            for i in range(count):

                @njit(engine="interp")
                def kernel(x):
                    return x + i

                self.assertEqual(kernel(1), 1 + i)

        make(50)
        before = kilobytes()
        make(200)
        self.assertLess(kilobytes() - before, 4000)


class Threads(unittest.TestCase):
    def test_first_calls_at_once(self):
        @njit
        def spin(n):
            s = 0
            for i in range(n):
                s += i & 3
            return s

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(spin, [200000] * 16))
        self.assertEqual(set(results), {300000})
        self.assertEqual(len(spin.signatures), 1)

    def test_errors_belong_to_their_thread(self):
        @njit
        def check(n):
            if n % 2 == 1:
                raise ValueError("odd")
            return n

        def attempt(n):
            try:
                return check(n)
            except ValueError as error:
                return str(error)

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(attempt, range(200)))
        self.assertEqual(results, [n if n % 2 == 0 else "odd" for n in range(200)])


    def test_calls_release_the_gil(self):
        @njit
        def spin(n):
            s = 0
            for i in range(n):
                s = s * 31 % 65521 + i
            return s

        spin(1)
        with ThreadPoolExecutor(1) as pool:
            running, count = pool.submit(spin, 40_000_000), 0
            while not running.done():
                time.sleep(0.001)
                count += 1
        self.assertGreater(count, 10)


class Processes(unittest.TestCase):
    def test_spawned_and_forked(self):
        kernel = later_maker(0.5, factorial)
        expected = [kernel(n) for n in range(5)]
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                self.assertEqual(pool.map(kernel, range(5)), expected)


class Command(unittest.TestCase):
    def test_module_is_the_command(self):
        made = run_python("-m", "jitrun", "--version")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn(jitrun.__version__, made.stdout)

    def test_without_numpy(self):
        made = run_python(
            "-c",
            "import sys\nsys.modules['numpy'] = None\n"
            "import pickle, jitrun\n"
            "f = pickle.load(open(sys.argv[1], 'rb'))\n"
            "assert f(5) == 120 and f(5.5) > 200\n"
            "try:\n    f(bytearray(3))\nexcept TypeError as e:\n    assert 'NumPy' in str(e), e\n"
            "else:\n    assert False\n",
            self.pickled(factorial),
        )
        self.assertEqual(made.returncode, 0, made.stderr)

    def pickled(self, kernel):
        file = tempfile.NamedTemporaryFile()
        self.addCleanup(file.close)
        file.write(pickle.dumps(kernel))
        file.flush()
        return file.name


if __name__ == "__main__":
    unittest.main()
